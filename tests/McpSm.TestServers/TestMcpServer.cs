using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using McpSm.Samples;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace McpSm.TestServers;

/// <summary>A small MCP server without the SDK. Every part of its authorization can be changed.</summary>
public sealed class TestMcpServer : IAsyncDisposable
{
    private const string WellKnown = "/.well-known/oauth-protected-resource";

    private readonly TestMcpServerOptions _options;
    private LoopbackHost? _host;

    private TestMcpServer(TestMcpServerOptions options)
    {
        _options = options;
        Open = options.Open;
        Scope = options.Scope;
        Issuers = options.Issuers;
        MetadataAtPath = options.MetadataAtPath;
        MetadataAtRoot = options.MetadataAtRoot;
        Introspect = options.Introspect;
        AcceptedTokens = new(options.AcceptedTokens.Select(t => KeyValuePair.Create(t, true)));
    }

    public TrafficLog Traffic { get; } = new();

    public Faults Faults { get; } = new();

    /// <summary>The URL of the MCP endpoint, which is the default of <see cref="Resource"/>.</summary>
    public Uri McpUrl => new(Origin + _options.Path);

    /// <summary>The resource identifier in the metadata and the required audience of tokens.</summary>
    public string Resource
    {
        get => field ?? McpUrl.OriginalString;
        set;
    }

    /// <summary>The revision of MCP in the response to <c>initialize</c>.</summary>
    public string ProtocolVersion { get; set; } = "2025-11-25";

    /// <summary>The newest accepted revision; a request with a newer one gets 400. Null accepts every revision.</summary>
    public string? NewestVersion { get; set; }

    public Uri ResourceMetadataUrl => new(Origin + WellKnown + _options.Path);

    public Uri RootResourceMetadataUrl => new(Origin + WellKnown);

    /// <summary>Accepts requests without a token.</summary>
    public bool Open { get; set; }

    /// <summary>The scopes in challenges, required of the tokens of <see cref="Introspect"/>.</summary>
    public string Scope { get; set; }

    /// <summary>The issuer identifiers in the resource metadata.</summary>
    public IReadOnlyList<string> Issuers { get; set; }

    /// <summary>Bearer tokens that are always accepted. The values of the dictionary are not used.</summary>
    public ConcurrentDictionary<string, bool> AcceptedTokens { get; }

    /// <summary>Looks up tokens that are not in the accepted ones.</summary>
    public Func<string, AccessTokenInfo?>? Introspect { get; set; }

    /// <summary>Changes the WWW-Authenticate header of a challenge; null sends no header.</summary>
    public Func<string, string?>? Challenge { get; set; }

    /// <summary>Checks the proofs of bound tokens and refuses other tokens (RFC 9449); null if the server accepts only bearer tokens.</summary>
    public DPoPProofs? DPoP { get; set; }

    /// <summary>The status of the response to a request without an accepted token.</summary>
    public int ChallengeStatus { get; set; } = StatusCodes.Status401Unauthorized;

    /// <summary>Changes the resource metadata; null sends a 404.</summary>
    public Func<JsonObject, JsonNode?>? ResourceMetadata { get; set; }

    public bool MetadataAtPath { get; set; }

    public bool MetadataAtRoot { get; set; }

    /// <summary>The port on 127.0.0.1, even if the server has another origin.</summary>
    public int Port => Host.BaseAddress.Port;

    private string Origin => _options.Origin ?? Host.Origin;

    private LoopbackHost Host => _host ?? throw new InvalidOperationException("The server has not started.");

    public static async Task<TestMcpServer> StartAsync(TestMcpServerOptions? options = null)
    {
        options ??= new TestMcpServerOptions();
        var server = new TestMcpServer(options);
        server._host = await LoopbackHost.StartAsync(options.Port, options.Certificate, app =>
            app.Use(server.Traffic.RecordAsync).Use(server.Faults.ApplyAsync).Run(server.AnswerAsync));
        return server;
    }

    /// <summary>Starts a server that names an issuer and accepts its tokens.</summary>
    public static Task<TestMcpServer> StartAsync(TestIssuer issuer, TestMcpServerOptions? options = null) =>
        StartAsync((options ?? new TestMcpServerOptions()) with
        {
            Issuers = [issuer.Issuer],
            Introspect = issuer.Server.Introspect,
        });

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value;
        if (path == _options.Path)
        {
            return AnswerMcpAsync(context);
        }

        if ((MetadataAtPath && path == WellKnown + _options.Path) || (MetadataAtRoot && path == WellKnown))
        {
            return AnswerMetadataAsync(context);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private async Task AnswerMcpAsync(HttpContext context)
    {
        if (NewestVersion is { } newest && await NamesNewerAsync(context.Request, newest))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync("Bad Request: Unsupported protocol version");
            return;
        }

        DPoP?.Offer(context.Response);
        if (!Open && Refusal(context.Request) is { } refusal)
        {
            context.Response.StatusCode = refusal.Status;
            context.Response.ContentLength = 0;
            context.Response.Headers.WWWAuthenticate = Challenge is null ? refusal.Header : Challenge(refusal.Header);
            return;
        }

        await JsonRpc.AnswerAsync(context, ProtocolVersion);
    }

    private static async Task<bool> NamesNewerAsync(HttpRequest request, string newest)
    {
        request.EnableBuffering();
        var body = request.ContentLength is > 0 || request.Headers.TransferEncoding.Count > 0 ? await JsonNode.ParseAsync(request.Body) : null;
        request.Body.Position = 0;
        var asked = (string?)body?["params"]?["protocolVersion"];
        return string.CompareOrdinal(asked, newest) > 0 || string.CompareOrdinal(request.Headers["MCP-Protocol-Version"], newest) > 0;
    }

    private (int Status, string Header)? Refusal(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        var scheme = DPoP is null ? "Bearer " : "DPoP ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return (ChallengeStatus, Header(null));
        }

        var token = header[scheme.Length..].Trim();
        if (AcceptedTokens.ContainsKey(token))
        {
            return null;
        }

        if (Introspect?.Invoke(token) is not { Active: true } known
            || !known.Resources.Contains(Resource))
        {
            return (ChallengeStatus, Header("invalid_token"));
        }

        try
        {
            var key = DPoP?.Verify(request, token);
            if (key != known.KeyThumbprint || (DPoP is not null && key is null))
            {
                return (ChallengeStatus, Header("invalid_token"));
            }
        }
        catch (DPoPException error)
        {
            return (ChallengeStatus, Header(error.Error));
        }

        return Scopes.All(known.Scopes.Contains) ? null : (StatusCodes.Status403Forbidden, Header("insufficient_scope"));
    }

    private string[] Scopes => Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private string Header(string? error)
    {
        var header = $"{(DPoP is null ? "Bearer" : "DPoP")} resource_metadata=\"{ResourceMetadataUrl}\"";
        header += Scope.Length > 0 ? $", scope=\"{Scope}\"" : "";
        return error is null ? header : $"{header}, error=\"{error}\"";
    }

    private Task AnswerMetadataAsync(HttpContext context)
    {
        var document = new JsonObject
        {
            ["resource"] = Resource,
            ["authorization_servers"] = new JsonArray([.. Issuers.Select(i => (JsonNode)i)]),
            ["scopes_supported"] = new JsonArray([.. Scopes.Select(s => (JsonNode)s)]),
            ["bearer_methods_supported"] = new JsonArray("header"),
        };
        if (DPoP is not null)
        {
            document["dpop_bound_access_tokens_required"] = true;
            document["dpop_signing_alg_values_supported"] = new JsonArray(DPoPProofs.Algorithm);
        }

        var served = ResourceMetadata is null ? document : ResourceMetadata(document);
        if (served is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(served.ToJsonString());
    }
}
