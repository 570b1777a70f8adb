using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;

namespace McpSm.Commands.Tests.Servers;

/// <summary>A server and an issuer over TLS with public names that only a proxy resolves, and a process that uses the proxy.</summary>
public sealed class ProxyFixture : IAsyncDisposable
{
    private ProxyFixture(TestIssuer issuer, TestMcpServer server, ForwardProxy proxy) => (Issuer, Server, Proxy) = (issuer, server, proxy);

    public TestIssuer Issuer { get; }

    public TestMcpServer Server { get; }

    public ForwardProxy Proxy { get; }

    public CliProcess Mcpsm { get; } = new();

    /// <param name="issuer">The host name of the issuer.</param>
    /// <param name="credentials">The credentials that the proxy requires; null for none.</param>
    public static async Task<ProxyFixture> StartAsync(string issuer = "issuer.example", string? credentials = null)
    {
        var issuing = await TestIssuer.StartAsync(new() { Certificate = LoopbackCertificates.Server, Origin = "https://" + issuer, SupportsDeviceCode = true });
        var server = await TestMcpServer.StartAsync(issuing, new() { Certificate = LoopbackCertificates.Server, Origin = "https://mcp.example" });
        var proxy = new ForwardProxy((host, port) => port != 443 ? null : host == issuer || host == "10.1.2.3" ? issuing.Server.BaseAddress.Port
            : host == "mcp.example" ? server.Port : null)
        { Credentials = credentials };
        var scene = new ProxyFixture(issuing, server, proxy);
        var authority = Path.Combine(scene.Mcpsm.Folder, "authority.pem");
        LoopbackCertificates.WriteAuthorityPem(authority);
        scene.Mcpsm.Variables["SSL_CERT_FILE"] = authority;
        scene.Mcpsm.Variables["MCPSM_CALLBACK_PORT"] = "0";
        foreach (var name in new[] { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY" })
        {
            scene.Mcpsm.Variables[name] = null;
        }
        scene.Mcpsm.Follow = async line =>
        {
            if (CliProcess.AuthorizationUrl(line) is { } url)
            {
                (await StandInBrowser.ClickThroughAsync(new Uri(issuing.Server.BaseAddress, url.PathAndQuery), trusts: LoopbackCertificates.Trusts)).Dispose();
            }
        };
        return scene;
    }

    public async Task<CliResult> LoginAsync(string options = "")
    {
        (await Mcpsm.RunAsync("add my-api --type http --url https://mcp.example/mcp" + options)).Done();
        return await Mcpsm.RunAsync("auth login my-api --no-browser");
    }

    public async ValueTask DisposeAsync()
    {
        Mcpsm.Dispose();
        Proxy.Dispose();
        await Server.DisposeAsync();
        await Issuer.DisposeAsync();
    }
}
