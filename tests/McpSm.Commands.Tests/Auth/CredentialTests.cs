using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of <c>auth logout</c>, <c>revoke</c>, <c>refresh</c>, <c>set</c> and <c>token</c>.</summary>
public sealed class CredentialTests : IAsyncLifetime
{
    private readonly InProcessCli _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        await _mcpsm.AddAsync(_server.McpUrl);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
        _mcpsm.Dispose();
    }

    [Theory]
    [InlineData("y", true)]
    [InlineData("n", false)]
    [InlineData("", false)]
    public async Task Logout_at_a_terminal_asks_first(string answer, bool signsOut)
    {
        var token = await SignInAsync();
        var ended = await _mcpsm.RunAsync("auth logout my-api", TestConsole.Terminal(answer));
        Assert.StartsWith("Sign out of 'my-api'? [y/N] ", ended.Error);
        Assert.Equal(signsOut ? 0 : 1, ended.Code);
        Assert.Equal(signsOut ? "✔ Signed out of 'my-api'.\n" : "", ended.Out);
        Assert.Equal(signsOut ? "NotAuthenticated" : "Authenticated", (string?)(await _mcpsm.StatusAsync())["state"]);
        Assert.Equal(!signsOut, _issuer.Server.Introspect(token)?.Active == true);
        Assert.Equal(!signsOut, ended.Error.EndsWith("You are still signed in.\n"));
    }

    [Fact]
    public async Task Logout_with_closed_standard_input_is_an_error()
    {
        var token = await SignInAsync();
        var ended = await _mcpsm.RunAsync("auth logout my-api", TestConsole.Pipe());
        (ended with { Error = ended.Error.Replace("[y/N] ", "\n") }).Failed(4, "standard input is closed", "mcpsm auth logout my-api --force");
        Assert.Equal(token, await _mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Logout_with_local_does_not_contact_the_issuer()
    {
        var token = await SignInAsync();
        Assert.Equal("✔ Signed out of 'my-api'.\n", (await _mcpsm.RunAsync("auth logout my-api --local -f")).Done().Out);
        Assert.Empty(_issuer.Traffic.To("/revoke"));
        Assert.Equal(true, _issuer.Server.Introspect(token)?.Active);
        (await _mcpsm.RunAsync("auth token my-api")).Failed(4, "You are not signed in to 'my-api'.");
    }

    [Theory]
    [InlineData("auth logout my-api --force", "✔ Signed out of 'my-api'.\n")]
    [InlineData("auth logout my-api -f", "✔ Signed out of 'my-api'.\n")]
    [InlineData("auth revoke my-api", "✔ Credentials of 'my-api' removed.\n")]
    public async Task Logout_and_revoke_revoke_the_refresh_token_then_the_access_token(string line, string says)
    {
        var token = await SignInAsync();
        Assert.Equal(says, (await _mcpsm.RunAsync(line)).Done().Out);
        Assert.Equal(["refresh_token", "access_token"], _issuer.Traffic.To("/revoke").Select(r => r.FormValue("token_type_hint")));
        Assert.NotEqual(true, _issuer.Server.Introspect(token)?.Active);
        (await _mcpsm.RunAsync("auth token my-api")).Failed(4, "You are not signed in to 'my-api'.", "mcpsm auth login my-api");
    }

    [Theory]
    [InlineData("auth logout my-api --force")]
    [InlineData("auth revoke my-api")]
    [InlineData("auth set my-api new-token")]
    [InlineData("remove my-api --yes")]
    public async Task Failed_revocation_is_a_warning_and_the_credential_is_removed(string line)
    {
        await SignInAsync();
        _issuer.Faults.Answer("/revoke", 503);
        var ended = (await _mcpsm.RunAsync(line)).Done();
        Assert.Contains("Warning: ", ended.Error);
        Assert.Contains("503 Service Unavailable", ended.Error);
        Assert.DoesNotContain("OAuth", File.ReadAllText(_mcpsm.PathOf("credentials.json")));
    }

    [Fact]
    public async Task Logout_keeps_a_bearer_token_and_suggests_revoke()
    {
        await _mcpsm.RunAsync("auth set my-api a-token");
        foreach (var line in new[] { "auth logout my-api", "auth logout my-api --force" })
        {
            var ended = (await _mcpsm.RunAsync(line)).Done();
            Assert.Contains("mcpsm auth revoke my-api", ended.Error);
            Assert.DoesNotContain("[y/N]", ended.Error);
            Assert.Equal("", ended.Out);
        }
        Assert.Equal("a-token", await _mcpsm.TokenAsync());
        Assert.Equal("✔ Credentials of 'my-api' removed.\n", (await _mcpsm.RunAsync("auth revoke my-api")).Done().Out);
        Assert.Equal("NotAuthenticated", (string?)(await _mcpsm.StatusAsync())["state"]);
    }

    [Fact]
    public async Task Logout_and_revoke_without_a_credential_succeed()
    {
        Assert.Equal("You are not signed in to 'my-api'.\n", (await _mcpsm.RunAsync("auth logout my-api")).Done().Error);
        Assert.Equal("'my-api' has no credential.\n", (await _mcpsm.RunAsync("auth revoke my-api")).Done().Error);
    }

    [Fact]
    public async Task Refresh_prints_how_long_the_new_token_lasts()
    {
        var token = await SignInAsync();
        Assert.Equal("✔ Token of 'my-api' renewed (expires: in 60 min).\n", (await _mcpsm.RunAsync("auth refresh my-api")).Done().Out);
        Assert.NotEqual(token, await _mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Refresh_that_needs_a_person_exits_with_4()
    {
        (await _mcpsm.RunAsync("auth refresh my-api")).Failed(4, "You are not signed in", "mcpsm auth login my-api");
        await _mcpsm.RunAsync("auth set my-api a-token");
        (await _mcpsm.RunAsync("auth refresh my-api")).Failed(4, "a bearer token, and Mcpsm cannot renew bearer tokens.", "mcpsm auth set my-api");
        await SignInAsync();
        _issuer.Server.RevokeAllTokens();
        (await _mcpsm.RunAsync("auth refresh my-api")).Failed(4, "no longer accepts the refresh token", "mcpsm auth login my-api");
        // The refused token was deleted, so it is not sent again.
        _issuer.Traffic.Clear();
        (await _mcpsm.RunAsync("auth refresh my-api")).Failed(4, "no refresh token");
        Assert.Empty(_issuer.Traffic.Requests);
    }

    [Fact]
    public async Task Set_replaces_a_sign_in_and_revokes_it()
    {
        var token = await SignInAsync();
        var ended = (await _mcpsm.RunAsync("auth set my-api a-token")).Done();
        Assert.Equal("✔ Bearer token of 'my-api' stored.\n", ended.Out);
        Assert.Equal("Hint: other users and the shell history can see a token on the command line. Use '-' to read it from standard input.\n", ended.Error);
        Assert.NotEqual(true, _issuer.Server.Introspect(token)?.Active);
        Assert.Equal("a-token", await _mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Set_reads_one_line_of_standard_input_for_a_dash()
    {
        var ended = (await _mcpsm.RunAsync("auth set my-api -", TestConsole.Pipe("  piped-token  ", ""))).Done();
        Assert.Equal("", ended.Error.Replace(FileNotice(ended.Error), ""));
        Assert.Equal("piped-token", await _mcpsm.TokenAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("PLANTEDé")]
    [InlineData("PLANTED\u0007")]
    public async Task Set_refuses_a_token_that_no_header_can_carry(string token)
    {
        var ended = await _mcpsm.RunAsync(["auth", "set", "my-api", token]);
        ended.Failed(2, "That token cannot be sent");
        Assert.DoesNotContain("PLANTED", ended.Error);
        Assert.False(File.Exists(_mcpsm.PathOf("credentials.enc")));
    }

    [Fact]
    public async Task Token_is_printed_plain_as_a_header_and_as_JSON()
    {
        var token = await SignInAsync();
        Assert.Equal(token + "\n", (await _mcpsm.RunAsync("auth token my-api")).Done().Out);
        Assert.Equal($"Authorization: Bearer {token}\n", (await _mcpsm.RunAsync("auth token my-api --header")).Done().Out);
        var json = JsonNode.Parse((await _mcpsm.RunAsync("auth token my-api --json")).Done().Out)!.AsObject();
        Assert.Equal(["Authorization"], json.Select(m => m.Key));
        Assert.Equal("Bearer " + token, (string?)json["Authorization"]);
    }

    [Fact]
    public async Task Token_is_renewed_once_before_it_expires()
    {
        var token = await SignInAsync();
        _mcpsm.Clock.Now += TimeSpan.FromMinutes(58);
        Assert.Equal(token, await _mcpsm.TokenAsync());
        _mcpsm.Clock.Now += TimeSpan.FromMinutes(1);
        var renewed = await _mcpsm.TokenAsync();
        Assert.NotEqual(token, renewed);
        Assert.Equal(renewed, await _mcpsm.TokenAsync());
        Assert.Single(_issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Expired_token_without_refresh_token_is_not_printed()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { IssueRefreshTokens = false });
        await using var server = await TestMcpServer.StartAsync(issuer);
        await _mcpsm.AddAsync(server.McpUrl, "other");
        (await _mcpsm.LoginAsync("other")).Done();
        _mcpsm.Clock.Now += TimeSpan.FromHours(1);
        (await _mcpsm.RunAsync("auth token other")).Failed(4, "The token of 'other' has expired.", "mcpsm auth login other");
    }

    [Fact]
    public async Task Login_by_URL_adds_the_server_once()
    {
        await using var other = await TestMcpServer.StartAsync(_issuer);
        foreach (var url in new[] { _server.McpUrl, other.McpUrl, other.McpUrl })
        {
            (await _mcpsm.LoginAsync(url.AbsoluteUri)).Done();
        }
        Assert.Equal(["my-api", $"127-0-0-1-{other.McpUrl.Port}"], _mcpsm.Config().Select(s => (string?)s!["id"]));
        (await _mcpsm.LoginAsync("ftp://a.example/")).Failed(2, "the scheme must be https or http");
    }

    [Fact]
    public async Task Login_with_sign_in_off_says_how_to_turn_it_on()
    {
        (await _mcpsm.RunAsync("server update my-api --no-oauth")).Done();
        (await _mcpsm.LoginAsync()).Failed(1, "Signing in to 'my-api' is off.", "mcpsm server update my-api --oauth");
        (await _mcpsm.RunAsync("server update my-api --oauth")).Done();
        Assert.DoesNotContain("OAuth is now on", (await _mcpsm.LoginAsync()).Done().Error);
    }

    [Fact]
    public async Task Login_turns_sign_in_on_if_the_server_asks_for_it()
    {
        Assert.Null(_mcpsm.Config()[0]!["oauth"]);
        Assert.Contains("'my-api' requires sign-in. OAuth is now on for this server.", (await _mcpsm.LoginAsync()).Done().Error);
        Assert.True((bool)_mcpsm.Config()[0]!["oauth"]!["enabled"]!);
        Assert.DoesNotContain("now on", (await _mcpsm.LoginAsync()).Done().Error);
    }

    private async Task<string> SignInAsync()
    {
        (await _mcpsm.LoginAsync()).Done();
        return await _mcpsm.TokenAsync();
    }

    /// <summary>Returns the line, printed once, that names the vault.</summary>
    private static string FileNotice(string error) => error.Split('\n').Single(l => l.StartsWith("Credentials are stored in ")) + "\n";
}
