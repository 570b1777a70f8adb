using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of an unattended sign-in with client credentials.</summary>
public sealed class ClientCredentialsCommandTests
{
    private const string Secret = "PLANTED-s3cr3t";

    private static readonly Keys Key = Keys.Of("ES256");

    private static async Task<(TestIssuer, TestMcpServer, InProcessCli)> StartAsync(bool withKey = false)
    {
        var mcpsm = new InProcessCli();
        mcpsm.Variables.Remove("MCPSM_INTERACTIVE");
        mcpsm.Variables["CI"] = "true";
        mcpsm.Variables["MCPSM_CLIENT_ID"] = "job";
        // The times in client assertions come from the clock of the test.
        var issuer = await TestIssuer.StartAsync(new()
        {
            TimeProvider = mcpsm.Clock,
            PreRegisteredClients = [withKey ? new RegisteredClient("job", null, [], "private_key_jwt") { AssertionKey = Key.Public }
                : new RegisteredClient("job", Secret, [], "client_secret_basic")],
        });
        var server = await TestMcpServer.StartAsync(issuer);
        await mcpsm.AddAsync(server.McpUrl);
        return (issuer, server, mcpsm);
    }

    [Theory]
    [InlineData("auth login my-api --client-credentials")]
    [InlineData("auth login my-api")]
    [InlineData("auth my-api --non-interactive")]
    public async Task Client_under_CI_signs_in_renews_and_signs_out(string login)
    {
        var (issuer, server, mcpsm) = await StartAsync();
        await using var _ = issuer;
        await using var __ = server;
        using var ___ = mcpsm;
        mcpsm.Variables["MCPSM_CLIENT_SECRET"] = Secret;
        var ended = (await mcpsm.RunAsync(login)).Done();
        Assert.Equal("✔ Signed in to 'my-api' (expires: in 60 min).\n", ended.Out);
        Assert.True((bool)(await mcpsm.StatusAsync())["canRenew"]!);

        // The next commands do not need the secret in the environment.
        mcpsm.Variables.Remove("MCPSM_CLIENT_SECRET");
        mcpsm.Variables.Remove("MCPSM_CLIENT_ID");
        var first = await mcpsm.TokenAsync();
        mcpsm.Clock.Now += TimeSpan.FromHours(2);
        Assert.NotEqual(first, await mcpsm.TokenAsync());
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        (await mcpsm.RunAsync("test my-api")).Done();
        mcpsm.Clock.Now += TimeSpan.FromHours(2);
        Assert.Contains("renewed", (await mcpsm.RunAsync("auth login-all")).Done().Out);
        Assert.Contains("Signed out", (await mcpsm.RunAsync("auth logout my-api --force")).Done().Out);
        Assert.Equal(TokenState.Revoked, issuer.Server.IssuedTokens[^1].State);
        (await mcpsm.RunAsync(login)).Failed(login.Contains("client") ? 2 : 4, "MCPSM_CLIENT_ID and MCPSM_CLIENT_SECRET");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Key_in_a_file_signs_the_client_in(bool option)
    {
        var (issuer, server, mcpsm) = await StartAsync(withKey: true);
        await using var _ = issuer;
        await using var __ = server;
        using var ___ = mcpsm;
        mcpsm.Write("key.pem", Key.Private);
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "1";
        if (!option)
        {
            mcpsm.Variables["MCPSM_CLIENT_KEY_FILE"] = mcpsm.PathOf("key.pem");
        }
        string[] how = option ? ["--client-key-file", mcpsm.PathOf("key.pem")] : ["--client-credentials"];
        (await mcpsm.RunAsync(["auth", "login", server.McpUrl.AbsoluteUri, .. how])).Done();
        File.Delete(mcpsm.PathOf("key.pem"));
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        (await mcpsm.RunAsync("auth revoke my-api")).Done();
        Assert.Equal(3, issuer.Traffic.Requests.Count(r => r.FormValue("client_assertion") is not null));
    }

    [Fact]
    public async Task Client_variables_in_an_interactive_session_do_not_replace_the_person()
    {
        var (issuer, server, mcpsm) = await StartAsync();
        await using var _ = issuer;
        await using var __ = server;
        using var ___ = mcpsm;
        mcpsm.Variables["MCPSM_CLIENT_SECRET"] = Secret;
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "1";
        (await mcpsm.LoginAsync()).Done();
        Assert.Empty(issuer.Traffic.OfGrant("client_credentials"));
        (await mcpsm.RunAsync("auth login my-api --client-credentials")).Done();
        Assert.Single(issuer.Traffic.OfGrant("client_credentials"));
    }

    [Fact]
    public async Task Wrong_client_secret_exits_with_4_and_is_not_printed()
    {
        var (issuer, server, mcpsm) = await StartAsync();
        await using var _ = issuer;
        await using var __ = server;
        using var ___ = mcpsm;
        mcpsm.Variables["MCPSM_CLIENT_SECRET"] = "PLANTED-wrong";
        var ended = (await mcpsm.RunAsync("auth login my-api")).Failed(4, "invalid_client: the client secret is wrong", "Check the client's id");
        Assert.DoesNotContain("PLANTED", ended.Error);
        (await mcpsm.RunAsync("auth login my-api --client-key-file nosuch.pem")).Failed(2, "it does not exist");
        mcpsm.Write("key.pem", "PLANTED");
        (await mcpsm.RunAsync(["auth", "login", "my-api", "--client-key-file", mcpsm.PathOf("key.pem")])).Failed(2, "not an RSA or EC private key");
        (await mcpsm.RunAsync("auth login my-api --client-credentials --device")).Failed(2, "--device");
        (await mcpsm.RunAsync("auth login-all --client-credentials")).Failed(2, "mcpsm auth login-all does not have this option.");
    }

    [Rule(15)]
    [Fact]
    public async Task Login_all_sends_client_variables_only_to_servers_with_that_client()
    {
        var (issuer, server, mcpsm) = await StartAsync();
        await using var _ = issuer;
        await using var __ = server;
        using var ___ = mcpsm;
        await using var thief = await TestIssuer.StartAsync();
        await using var other = await TestMcpServer.StartAsync(thief);
        await mcpsm.AddAsync(other.McpUrl, "other");
        mcpsm.Variables["MCPSM_CLIENT_SECRET"] = Secret;
        (await mcpsm.RunAsync("server update my-api --client-id job")).Done();
        var ended = await mcpsm.RunAsync("auth login-all");
        Assert.Equal(1, ended.Code);
        Assert.Contains("✔ Signed in to 'my-api'", ended.Out);
        Assert.Contains("Signing in to 'other' needs a person", ended.Error);
        Assert.Empty(thief.Traffic.Requests);
    }

    [Fact]
    public async Task CI_job_sample_runs_unattended_and_leaves_nothing_behind()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The example needs a Unix shell.");
        Require.Programs("curl");
        await using var issuer = await AuthorizationServer.StartAsync(new()
        {
            PreRegisteredClients = [new RegisteredClient("job", Secret, [], "client_secret_basic")],
        });
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess { Follow = _ => Task.CompletedTask };
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "";
        mcpsm.Variables["CI"] = "true";
        mcpsm.Variables["TMPDIR"] = mcpsm.Folder;
        mcpsm.Variables["MCP_SERVER"] = server.McpUrl.AbsoluteUri;
        mcpsm.Variables["MCP_ISSUER"] = issuer.Issuer;
        mcpsm.Variables["MCPSM_CLIENT_ID"] = "job";
        mcpsm.Variables["MCPSM_CLIENT_SECRET"] = Secret;
        var ended = (await mcpsm.RunScriptAsync(Path.Combine(Repository.Root, "samples", "ci-job.sh"))).Done();
        Assert.Contains("✔ Signed in to 'job'", ended.Out);
        Assert.Contains("Testing job... ✔ OK (sample-server", ended.Out);
        Assert.Contains("\"serverInfo\":{\"name\":\"sample-server\"", ended.Out);
        var token = Assert.Single(issuer.IssuedTokens);
        Assert.Equal(TokenState.Revoked, token.State);
        Assert.DoesNotContain(token.Value, ended.Out + ended.Error);
        Assert.DoesNotContain(Secret, ended.Out + ended.Error);
        Assert.Equal(["bin"], Directory.EnumerateFileSystemEntries(mcpsm.Folder).Select(Path.GetFileName));
    }
}
