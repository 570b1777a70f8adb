using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of issuers that break a rule. A failed sign-in leaves the previous one unchanged.</summary>
public sealed partial class BadIssuerTests
{
    [Fact]
    public Task Issuer_without_PKCE_is_refused() => FailsAsync(
        issuer => issuer.Faults.RewriteJson("/.well-known", m => m.Remove("code_challenge_methods_supported")),
        1, "does not advertise PKCE with S256");

    [Fact]
    public Task Metadata_that_names_another_issuer_is_refused() => FailsAsync(
        issuer => issuer.Faults.RewriteJson("/.well-known", m => m["issuer"] = "https://evil.example"),
        1, "issuer");

    [Fact]
    public Task Token_response_200_with_an_error_is_an_error() => FailsAsync(
        issuer => issuer.Faults.Answer("/token", 200, """{"error":"invalid_grant","error_description":"the code is spent"}"""),
        1, "The issuer refused the request: invalid_grant: the code is spent.");

    [Fact]
    public Task Token_response_that_is_a_web_page_is_refused() => FailsAsync(
        issuer => issuer.Faults.Answer("/token", 200, "<html>busy</html>", "text/html"),
        1, "token response cannot be used: it is not JSON");

    [Fact]
    public Task Callback_without_a_code_is_an_error() => FailsAsync(
        issuer => issuer.Faults.RewriteRedirect("/authorize", url => Code().Replace(url, "$1")),
        1, "neither a code nor an error");

    [Fact]
    public Task Callback_with_another_state_is_ignored_until_the_timeout() => FailsAsync(
        issuer => issuer.Faults.RewriteRedirect("/authorize", url => url.Replace("state=", "state=foreign")),
        1, "Received only responses of another sign-in (the state is missing or wrong)", "Close the pages of other sign-ins");

    [Fact]
    public Task Denied_consent_is_an_error_with_the_description_of_the_issuer() => FailsAsync(
        issuer => issuer.Faults.RewriteRedirect("/authorize", url => Code().Replace(url, "$1error=access_denied&error_description=You+may+not%1B%5B31m&")),
        1, "The issuer denied the request: access_denied: You may not [31m.");

    [Fact]
    public Task Sign_in_that_is_never_finished_times_out() => FailsAsync(
        issuer => issuer.Faults.Answer("/authorize", 200, "<html>Come back tomorrow</html>", "text/html"),
        1, "The sign-in was not finished within 2 seconds.", "mcpsm auth forget my-api");

    [Fact]
    public async Task Issuer_without_registration_says_which_client_to_register()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { SupportsRegistration = false });
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Failed(1, "does not support dynamic client registration", "/callback", "mcpsm server update my-api --client-id <id>");
        (await mcpsm.RunAsync("auth token my-api")).Failed(4, "You are not signed in");
    }

    [Fact]
    public async Task Refused_registration_suggests_a_client_id()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        issuer.Faults.Answer("/register", 400, """{"error":"invalid_redirect_uri","error_description":"no loopback here"}""");
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Failed(1, "invalid_redirect_uri: no loopback here", "--client-id <id>");
    }

    [Fact]
    public async Task Renewal_answered_200_with_an_error_keeps_the_valid_token()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Done();
        var token = await mcpsm.TokenAsync();
        issuer.Faults.Answer("/token", 200, """{"error":"temporarily_unavailable"}""");
        (await mcpsm.RunAsync("auth refresh my-api")).Failed(1, "The issuer refused the request: temporarily_unavailable.");
        Assert.Equal(token, await mcpsm.TokenAsync());
        issuer.Faults.Clear();
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        issuer.Faults.Answer("/token", 200, """{"error":"invalid_grant"}""");
        (await mcpsm.RunAsync("auth refresh my-api")).Failed(4, "no longer accepts the refresh token", "mcpsm auth login my-api");
    }

    /// <summary>Signs in, turns the fault on and signs in again: one error, and the first sign-in still works.</summary>
    private static async Task FailsAsync(Action<TestIssuer> fault, int code, params string[] says)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Done();
        var token = await mcpsm.TokenAsync();
        // Without the vault, which can have a new registration for another port.
        var before = mcpsm.Files(except: "credentials.enc");
        fault(issuer);
        (await mcpsm.LoginAsync("my-api", "--timeout", "2")).Failed(code, says);
        Assert.Equal(before, mcpsm.Files(except: "credentials.enc"));
        Assert.Equal(token, await mcpsm.TokenAsync());
        issuer.Faults.Clear();
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
    }

    [GeneratedRegex(@"([?&])code=[^&]*&?")]
    private static partial Regex Code();
}
