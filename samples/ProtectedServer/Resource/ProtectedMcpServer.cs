using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.AspNetCore;
using ModelContextProtocol.Protocol;

namespace McpSm.Samples;

/// <summary>An MCP server with the official SDK that requires a token of its issuer.</summary>
public sealed class ProtectedMcpServer : IAsyncDisposable
{
    private const string McpPath = "/mcp";
    private const string MetadataPath = "/.well-known/oauth-protected-resource" + McpPath;

    private readonly ProtectedMcpServerOptions _options;
    private readonly AuthorizationServer _issuer;
    private LoopbackHost? _host;

    private ProtectedMcpServer(AuthorizationServer issuer, ProtectedMcpServerOptions options) =>
        (_issuer, _options) = (issuer, options);

    /// <summary>The URL of the Streamable HTTP transport, and the resource identifier (the audience of tokens).</summary>
    public Uri McpUrl => new(Host.Origin + McpPath);

    /// <summary>The URL of the HTTP+SSE transport of 2024-11-05. It is below <see cref="McpUrl"/>, so one resource covers both.</summary>
    public Uri SseUrl => new(Host.Origin + McpPath + "/sse");

    /// <summary>The URL of the protected resource metadata (RFC 9728).</summary>
    public Uri ResourceMetadataUrl => new(Host.Origin + MetadataPath);

    private LoopbackHost Host => _host ?? throw new InvalidOperationException("The server has not started.");

    /// <param name="issuer">The issuer of the accepted tokens.</param>
    /// <param name="options">The options of the server; null for the defaults.</param>
    /// <param name="inFront">Adds middleware before everything else.</param>
    public static async Task<ProtectedMcpServer> StartAsync(
        AuthorizationServer issuer,
        ProtectedMcpServerOptions? options = null,
        Action<IApplicationBuilder>? inFront = null)
    {
        options ??= new ProtectedMcpServerOptions();
        var server = new ProtectedMcpServer(issuer, options);
        server._host = await LoopbackHost.StartAsync(
            options.Port,
            options.Certificate,
            app =>
            {
                inFront?.Invoke(app);
                app.UseRouting();
                server.Map(app);
            },
            AddMcp);
        return server;
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private void Map(WebApplication app)
    {
        var origin = new OriginCheck(() => Host.Origin);
        app.UseWhen(c => c.Request.Path.StartsWithSegments(McpPath), mcp => mcp.Use(origin.InvokeAsync));
        if (_options.RequireAuthentication)
        {
            var guard = new TokenGuard(_issuer, _options, () => McpUrl.OriginalString, () => ResourceMetadataUrl);
            app.UseWhen(c => c.Request.Path.StartsWithSegments(McpPath), mcp => mcp.Use(guard.InvokeAsync));
            app.MapGet(MetadataPath, WriteMetadataAsync);

            // For clients of the older transport, which derive the metadata URL from their own URL if the challenge names none.
            app.MapGet(MetadataPath + "/sse", WriteMetadataAsync);
        }

        app.MapMcp(McpPath);
    }

    private Task WriteMetadataAsync(HttpContext context)
    {
        var metadata = new JsonObject
        {
            ["resource"] = McpUrl.OriginalString,
            ["authorization_servers"] = new JsonArray(_issuer.Issuer),
            ["scopes_supported"] = _options.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToJsonArray(),
            ["bearer_methods_supported"] = new JsonArray("header"),
            ["resource_name"] = "Mcpsm sample server",
        };
        if (_options.RequireDPoP)
        {
            metadata["dpop_bound_access_tokens_required"] = true;
            metadata["dpop_signing_alg_values_supported"] = new JsonArray(DPoPProofs.Algorithm);
        }

        return context.Response.WriteJsonAsync(StatusCodes.Status200OK, metadata);
    }

    private static void AddMcp(IServiceCollection services) =>
        services
            .AddMcpServer(o => o.ServerInfo = new Implementation { Name = "sample-server", Version = "1.0.0" })
            .WithHttpTransport(o =>
            {
                // The newest revision has no sessions, the older ones have. This mode supports both.
                o.SessionMode = HttpServerSessionMode.StatefulForInitializeClients;
#pragma warning disable MCP9004 // Obsolete for good reasons, but servers of that transport are still out there.
                o.EnableLegacySse = true;
#pragma warning restore MCP9004
            })
            .WithTools<SampleTools>();
}
