using System.Text.RegularExpressions;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Errors;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Support;

/// <summary>An issuer, a server that trusts it, and a test environment with that server as 'my-api'.</summary>
public sealed class SignInFixture : IAsyncDisposable
{
    private readonly string _id;

    private SignInFixture(TestIssuer issuer, TestMcpServer resource, TestEnvironment work, string id) =>
        (Issuer, Resource, Work, _id) = (issuer, resource, work, id);

    public TestIssuer Issuer { get; }

    public TestMcpServer Resource { get; }

    public TestEnvironment Work { get; }

    public FakeUser Person => Work.Person;

    public Authenticator Authenticator => Work.Authenticator;

    /// <summary>The server, as the catalog has it now.</summary>
    public McpServer Server => Work.Authenticator.Catalog.Get(_id);

    public McpAuthStatus Status => Work.Authenticator.Status(Server);

    /// <summary>Starts the servers and adds the MCP server.</summary>
    /// <param name="issuer">The options of the issuer, or null for the defaults.</param>
    /// <param name="resource">The options of the server, or null for the defaults.</param>
    /// <param name="server">Changes the server before it is added.</param>
    /// <param name="clock">The clock of the test environment and of the issuer, or null for the system clock.</param>
    public static async Task<SignInFixture> StartAsync(AuthorizationServerOptions? issuer = null, TestMcpServerOptions? resource = null,
        Func<McpServer, McpServer>? server = null, ManualTimeProvider? clock = null)
    {
        issuer ??= new AuthorizationServerOptions();
        var issuing = await TestIssuer.StartAsync(clock is null ? issuer : issuer with { TimeProvider = clock });
        var protecting = await TestMcpServer.StartAsync(issuing, resource);
        var work = new TestEnvironment(clock);
        return new SignInFixture(issuing, protecting, work, (await work.AddAsync(protecting.McpUrl, server)).Id);
    }

    /// <summary>Starts the servers and signs in once.</summary>
    public static async Task<SignInFixture> SignedInAsync(AuthorizationServerOptions? issuer = null, TestMcpServerOptions? resource = null,
        Func<McpServer, McpServer>? server = null, ManualTimeProvider? clock = null)
    {
        var scene = await StartAsync(issuer, resource, server, clock);
        await scene.LoginAsync();
        return scene;
    }

    public Task<SignInResult> LoginAsync(Func<SignInOptions, SignInOptions>? how = null) => Work.LoginAsync(Server, how);

    /// <summary>Requires that a sign-in fails with a remedy other than the same sign-in, and returns its exception.</summary>
    public async Task<McpAuthException> FailsAsync(Func<SignInOptions, SignInOptions>? how = null)
    {
        var e = await Assert.ThrowsAsync<McpAuthException>(() => LoginAsync(how));
        Assert.False(string.IsNullOrEmpty(e.Remedy.InShell()), $"The error has no remedy: {e.Message}");
        Assert.Null(RepeatedCommand.Find(e.Remedy.InShell(), "auth", "login", _id));
        return e;
    }

    /// <summary>Returns a client that uses the handler.</summary>
    /// <param name="signIn">Whether its requests can sign in.</param>
    /// <param name="authenticator">The authenticator of another process, or null for that of the test environment.</param>
    /// <param name="client">The client that signs in, or null for the user.</param>
    public HttpClient Open(bool signIn = false, Authenticator? authenticator = null, ClientCredentials? client = null) =>
        new(new AuthenticatingHandler(Server, authenticator ?? Authenticator, !signIn ? null
            : TestEnvironment.SignIn with { ClientCredentials = client }));

    /// <summary>Sends an MCP request and returns the status of the response.</summary>
    public async Task<int> PingAsync(HttpClient http, CancellationToken cancellationToken = default)
    {
        using var answer = await http.PostAsync(Resource.McpUrl, new StringContent(Ping), cancellationToken);
        return (int)answer.StatusCode;
    }

    public const string Ping = """{"jsonrpc":"2.0","id":7,"method":"ping"}""";

    /// <summary>Lets the user deny at the issuer until its faults are cleared.</summary>
    public void Deny() => Issuer.Faults.RewriteRedirect("/authorize", location => Regex.Replace(location, "code=[^&]*", "error=access_denied"));

    /// <summary>Changes the server in the catalog.</summary>
    public Task ChangeServerAsync(Func<McpServer, McpServer> change) =>
        Work.Authenticator.Catalog.UpdateAsync(_id, change, default);

    public async ValueTask DisposeAsync()
    {
        await Resource.DisposeAsync();
        await Issuer.DisposeAsync();
        Work.Dispose();
    }
}
