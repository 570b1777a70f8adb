using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Interop;

/// <summary>The npm package oidc-provider, a certified issuer of other authors, as a process on loopback.</summary>
public sealed class OidcProvider : IAsyncDisposable
{
    private static readonly string Folder = typeof(OidcProvider).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "oidc-provider").Value!;

    private readonly HttpClient _http = new();
    private readonly ConcurrentQueue<JsonObject> _events = new();
    private readonly Process _process;
    private readonly Task _listening;

    private OidcProvider(Process process, JsonNode started)
    {
        _process = process;
        Issuer = (string)started["issuer"]!;
        Machine = ((string)started["machine"]!["id"]!, (string)started["machine"]!["secret"]!);
        Keyed = started["keyed"]!.AsObject().ToDictionary(k => k.Key, k => ((string)k.Value!["id"]!, (string)k.Value["key"]!));
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(
            Encoding.ASCII.GetBytes($"{started["introspection"]!["id"]}:{started["introspection"]!["secret"]}")));
        _listening = ListenAsync();
    }

    public string Issuer { get; }

    /// <summary>The client with the client credentials grant.</summary>
    public (string Id, string Secret) Machine { get; }

    /// <summary>The clients with the client credentials grant and a private key (PEM), by algorithm.</summary>
    public IReadOnlyDictionary<string, (string Id, string Key)> Keyed { get; }

    /// <summary>The events of the provider, such as <c>grant.success</c>.</summary>
    public IReadOnlyList<JsonObject> Events => [.. _events];

    public static async Task<OidcProvider> StartAsync()
    {
        var node = Path.Combine(Folder, "node_modules", "node", "bin", OperatingSystem.IsWindows() ? "node.exe" : "node");
        Require.OrSkip(File.Exists(node), "oidc-provider is missing. Install it with: npm install --prefix tests/interop/oidc-provider");
        var process = Process.Start(new ProcessStartInfo(node, ["provider.mjs"])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        // The provider warns on standard error that this is not a production setup.
        _ = process.StandardError.ReadToEndAsync();
        var first = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return new OidcProvider(process, JsonNode.Parse(first ?? throw new InvalidOperationException("oidc-provider did not start."))!);
    }

    /// <summary>Starts an MCP server that names this issuer and looks its tokens up there.</summary>
    public Task<TestMcpServer> StartServerAsync() => TestMcpServer.StartAsync(new TestMcpServerOptions
    {
        Issuers = [Issuer],
        Introspect = token => IntrospectAsync(token).GetAwaiter().GetResult(),
    });

    /// <summary>Returns the introspection response for an access token (RFC 7662).</summary>
    public async Task<AccessTokenInfo?> IntrospectAsync(string token)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("token", token)]);
        using var answer = await _http.PostAsync(Issuer + "/token/introspection", form);
        var known = JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!;
        return !(bool)known["active"]! ? null : new AccessTokenInfo(true, (string)known["client_id"]!,
            ((string?)known["scope"] ?? "").Split(' '),
            known["aud"] is JsonArray all ? [.. all.Select(a => (string)a!)] : [(string)known["aud"]!],
            DateTimeOffset.FromUnixTimeSeconds((long)known["exp"]!));
    }

    public int Count(string happened, string? grant = null) =>
        Events.Count(e => (string?)e["event"] == happened && (grant is null || (string?)e["grant"] == grant));

    /// <summary>Asserts that the provider reported no internal error.</summary>
    public void AssertHealthy() => Assert.DoesNotContain(Events, e => (string?)e["event"] == "server_error");

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (TimeoutException)
        {
            _process.Kill();
        }
        await _listening;
        _process.Dispose();
        _http.Dispose();
    }

    private async Task ListenAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _events.Enqueue(JsonNode.Parse(line)!.AsObject());
        }
    }
}
