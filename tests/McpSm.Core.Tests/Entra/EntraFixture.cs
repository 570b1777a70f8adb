using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using McpSm.TestServers.Entra;
using Xunit;

namespace McpSm.Core.Tests.Entra;

/// <summary>A server that trusts Entra ID, a simulated Entra ID, and a test environment with that server as 'my-api'.</summary>
public sealed class EntraFixture : IAsyncDisposable
{
    public const string Scope = "api://my-api/mcp.tools";

    private readonly string _id;

    private EntraFixture(FakeEntra entra, TestMcpServer resource, TestEnvironment work, string id) =>
        (Entra, Resource, Work, _id) = (entra, resource, work, id);

    public FakeEntra Entra { get; }

    public TestMcpServer Resource { get; }

    public TestEnvironment Work { get; }

    public Authenticator Authenticator => Work.Authenticator;

    public McpServer Server => Authenticator.Catalog.Get(_id);

    public McpAuthStatus Status => Authenticator.Status(Server);

    /// <summary>Starts the servers and adds the MCP server.</summary>
    /// <param name="issuer">The issuer that the server names.</param>
    /// <param name="scope">The scope that the server asks for.</param>
    /// <param name="server">Changes the server before it is added.</param>
    public static async Task<EntraFixture> StartAsync(string? issuer = null, string scope = Scope, Func<McpServer, McpServer>? server = null)
    {
        var entra = await FakeEntra.StartAsync();
        var resource = await TestMcpServer.StartAsync(new TestMcpServerOptions
        {
            Issuers = [issuer ?? $"https://login.microsoftonline.com/{FakeEntra.Tenant}/v2.0"],
            Scope = scope,
        });
        resource.Introspect = token => entra.Tokens.Introspect(token, resource.Resource);
        var work = new TestEnvironment(entra: entra.NewTransport);
        var added = await work.AddAsync(resource.McpUrl, server ?? (s => new(s) { ClientId = FakeEntra.Person }));
        var scene = new EntraFixture(entra, resource, work, added.Id);
        work.Person.Browse = scene.BrowseAsync;
        return scene;
    }

    public static async Task<EntraFixture> SignedInAsync(string? issuer = null)
    {
        var scene = await StartAsync(issuer);
        await scene.LoginAsync();
        return scene;
    }

    /// <summary>The last page of the browser.</summary>
    public string Page { get; private set; } = "";

    public Task<SignInResult> LoginAsync(Func<SignInOptions, SignInOptions>? how = null) => Work.LoginAsync(Server, how);

    /// <summary>Requires that a sign-in fails, and returns its exception.</summary>
    public Task<McpAuthException> FailsAsync(Func<SignInOptions, SignInOptions>? how = null) =>
        Assert.ThrowsAsync<McpAuthException>(() => LoginAsync(how));

    private async Task BrowseAsync(Uri url)
    {
        using var answer = await Entra.ClickThroughAsync(url);
        Page = await answer.Content.ReadAsStringAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Resource.DisposeAsync();
        await Entra.DisposeAsync();
        Work.Dispose();
        Assert.Empty(Entra.Strays);
        Assert.DoesNotContain(Entra.Traffic.Requests, r => r.Query.ContainsKey("resource") || r.Form.ContainsKey("resource"));
    }
}
