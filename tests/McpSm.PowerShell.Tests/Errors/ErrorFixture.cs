using System.Net;
using System.Net.Sockets;
using System.Security;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;

namespace McpSm.PowerShell.Tests.Errors;

/// <summary>A session with one server, <c>my-api</c>, and its real server and issuer, which can be made to fail.</summary>
internal sealed class ErrorFixture : IAsyncDisposable
{
    private ErrorFixture(TestIssuer issuer, TestMcpServer server)
    {
        (Issuer, Server) = (issuer, server);
        Session.Run("Add-McpServer my-api $args[0]; Set-McpVault file", server.McpUrl.AbsoluteUri);
    }

    public TestIssuer Issuer { get; }

    public TestMcpServer Server { get; }

    public ModuleSession Session { get; } = new();

    /// <summary>A listener that occupies a port.</summary>
    public TcpListener Taken { get; } = new(IPAddress.Loopback, 0);

    public int TakenPort => ((IPEndPoint)Taken.LocalEndpoint).Port;

    public static async Task<ErrorFixture> StartAsync()
    {
        var issuer = await TestIssuer.StartAsync(autoApprove: false);
        var stage = new ErrorFixture(issuer, await TestMcpServer.StartAsync(issuer));
        stage.Taken.Start();
        return stage;
    }

    public void SignIn()
    {
        Issuer.Faults.Clear();
        Session.Run("$null = Connect-McpServer my-api -NoBrowser -CallbackPort 0");
    }

    public void SetToken() => Session.Run("Set-McpToken my-api $args[0]", Secure("its-token"));

    public static SecureString Secure(string text) => new NetworkCredential("", text).SecurePassword;

    public string File(string name) => Path.Combine(Session.Folder, name);

    /// <summary>Makes the issuer redirect with the state of another sign-in.</summary>
    public static async Task ForeignStateAsync(Uri url)
    {
        var callback = url.Query.TrimStart('?').Split('&').Select(p => p.Split('=')).First(p => p[0] == "redirect_uri")[1];
        using var client = new HttpClient();
        (await client.GetAsync($"{Uri.UnescapeDataString(callback)}?code=a&state=foreign")).Dispose();
    }

    public static async Task DenyAsync(Uri url) => (await StandInBrowser.ClickThroughAsync(url, approve: false)).Dispose();

    public async ValueTask DisposeAsync()
    {
        Taken.Dispose();
        Session.Dispose();
        await Server.DisposeAsync();
        await Issuer.DisposeAsync();
    }
}
