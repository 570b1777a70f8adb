using System.Globalization;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Identity;

/// <summary>Tests of <c>mcpsm identity</c>, and of a sign-in with an identity provider (rule 34 of docs/rules.md).</summary>
public sealed class IdentityCommandTests : IAsyncLifetime
{
    private readonly InProcessCli _mcpsm = new();
    private readonly Organisation _organisation = new();
    private TestIssuer _provider = null!;
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        var anyPort = Enumerable.Range(1024, 65536 - 1024).Select(port => $"http://127.0.0.1:{port}/callback");
        _provider = await TestIssuer.StartAsync(new AuthorizationServerOptions
        {
            Organisation = _organisation,
            ScopesSupported = ["openid", "offline_access"],
            SupportsRegistration = false,
            TimeProvider = _mcpsm.Clock,
            PreRegisteredClients = [new RegisteredClient("at-work", "PLANTED-at-work", [.. anyPort], "client_secret_basic")],
        });
        _issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions
        {
            TrustedIdentityProviders = [_provider.Issuer],
            TimeProvider = _mcpsm.Clock,
            PreRegisteredClients = [new RegisteredClient("at-server", null, [], "none")],
        });
        _server = await TestMcpServer.StartAsync(_issuer);
        _organisation.Add(new OrganisationServer(_issuer.Issuer, _server.Resource, "at-server", ["mcp:tools"]));
        await _mcpsm.AddAsync(_server.McpUrl, "my-api", "--client-id", "at-server");
        _mcpsm.Variables["WORK_SECRET"] = "PLANTED-at-work";
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Rule(34)]
    [Fact]
    public async Task Identity_login_signs_in_to_servers_until_logout()
    {
        Assert.Contains("No identity provider is set.", (await _mcpsm.RunAsync("identity")).Done().Error);
        (await _mcpsm.RunAsync("identity login")).Failed(4, "No identity provider is set.", "mcpsm identity use <issuer>");
        (await _mcpsm.RunAsync($"identity use {_provider.Issuer} --client-id at-work --client-secret-from-env WORK_SECRET")).Done();
        Assert.Contains("✘ Not signed in", (await _mcpsm.RunAsync("identity")).Done().Out);
        (await _mcpsm.RunAsync("identity login --no-browser --timeout 30")).Done();
        Assert.Contains("✔ Signed in (renewed automatically)", (await _mcpsm.RunAsync("identity")).Done().Out);
        var signedIn = await OnlyAsync();
        Assert.Equal((DateTimeOffset.Parse((string)signedIn["expiresAt"]!, CultureInfo.InvariantCulture) - _mcpsm.Clock.Now).TotalSeconds,
            (int)signedIn["expiresIn"]!);
        (await _mcpsm.RunAsync("auth login-all --non-interactive")).Done();
        Assert.Equal("IdentityProvider", (string?)(await _mcpsm.StatusAsync())["signedInBy"]);
        var first = await _mcpsm.TokenAsync();
        _mcpsm.Clock.Now += TimeSpan.FromHours(2);
        Assert.NotEqual(first, await _mcpsm.TokenAsync());
        var provider = await OnlyAsync();
        Assert.Equal((_provider.Issuer, true, "my-api"),
            ((string?)provider["issuer"], (bool)provider["isSet"]!, (string?)provider["servers"]!.AsArray().Single()));
        (await _mcpsm.RunAsync("identity logout --force")).Done();
        _mcpsm.Clock.Now += TimeSpan.FromHours(2);
        (await _mcpsm.RunAsync("auth token my-api"))
            .Failed(4, "You are not signed in at the identity provider", $"mcpsm auth login my-api --identity-provider {_provider.Issuer}");
        (await _mcpsm.RunAsync("identity none --force")).Done();
        Assert.Equal("[]", (await _mcpsm.RunAsync("identity --json")).Done().Out.Trim().ReplaceLineEndings("").Replace(" ", ""));
        foreach (var file in Directory.EnumerateFiles(_mcpsm.Folder, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain("PLANTED", await File.ReadAllTextAsync(file, Cancellation));
        }
    }

    [Rule(34)]
    [Fact]
    public async Task Removed_provider_that_a_server_needs_suggests_the_sign_in_command()
    {
        string? idToken = null;
        _provider.Faults.RewriteJson("/token", answer => idToken ??= (string?)answer["id_token"]);
        (await _mcpsm.RunAsync($"identity use {_provider.Issuer} --client-id at-work --client-secret-from-env WORK_SECRET")).Done();
        Assert.Equal("mcpsm identity login", (string?)(await OnlyAsync())["remedy"]);
        (await _mcpsm.RunAsync("identity login --no-browser --timeout 30")).Done();
        Assert.Null((await OnlyAsync())["remedy"]);
        _mcpsm.Variables["ID_TOKEN"] = idToken!;
        (await _mcpsm.RunAsync("identity login --id-token-from-env ID_TOKEN")).Done();
        (await _mcpsm.RunAsync("auth login my-api --non-interactive")).Done();
        (await _mcpsm.RunAsync("identity use https://other.example --client-id a")).Done();
        Assert.Equal([(false, "mcpsm identity login"), (true, null)], (await ToldAsync()).Select(p => ((bool)p!["signedIn"]!, (string?)p["remedy"])));
        _mcpsm.Clock.Now += TimeSpan.FromHours(2);
        Assert.Equal($"mcpsm auth login my-api --identity-provider {_provider.Issuer}", (string?)(await ToldAsync())[1]!["remedy"]);
        (await _mcpsm.RunAsync("remove my-api --yes")).Done();
        Assert.Null((await ToldAsync())[1]!["remedy"]);
    }

    [Fact]
    public async Task Identity_logout_asks_first_and_can_be_local()
    {
        (await _mcpsm.RunAsync($"identity use {_provider.Issuer} --client-id at-work --client-secret-from-env WORK_SECRET")).Done();
        (await _mcpsm.RunAsync("identity login --no-browser --timeout 30")).Done();
        foreach (var line in new[] { "identity logout", "identity none" })
        {
            var ended = await _mcpsm.RunAsync(line, TestConsole.Terminal("n"));
            Assert.Equal((1, ""), (ended.Code, ended.Out));
            Assert.Contains(line == "identity logout" ? "? [y/N] You are still signed in." : "? [y/N] The identity provider is still set.", ended.Error);
            ended = await _mcpsm.RunAsync(line, TestConsole.Pipe());
            (ended with { Error = ended.Error.Replace("[y/N] ", "\n") }).Failed(4, $"mcpsm {line} --force");
        }
        Assert.Equal((true, true), ((bool)(await OnlyAsync())["isSet"]!, (bool)(await OnlyAsync())["signedIn"]!));
        (await _mcpsm.RunAsync("identity logout --force --local")).Done();
        Assert.Empty(_provider.Traffic.To("/revoke"));
        Assert.Equal((true, false), ((bool)(await OnlyAsync())["isSet"]!, (bool)(await OnlyAsync())["signedIn"]!));
        (await _mcpsm.RunAsync("identity login --no-browser --timeout 30")).Done();
        (await _mcpsm.RunAsync("identity none", TestConsole.Terminal("y"))).Done();
        Assert.Single(_provider.Traffic.To("/revoke"));
        Assert.Empty(await ToldAsync());
    }

    private async Task<JsonArray> ToldAsync() => JsonNode.Parse((await _mcpsm.RunAsync("identity --json")).Done().Out)!.AsArray();

    private async Task<JsonNode> OnlyAsync() => Assert.Single(await ToldAsync())!;

    [Rule(34)]
    [Fact]
    public async Task Provider_named_for_one_server_is_used_and_a_wrong_one_is_an_error()
    {
        (await _mcpsm.LoginAsync("my-api", "--identity-provider", _provider.Issuer))
            .Failed(1, "does not support dynamic client registration", "mcpsm identity use");
        (await _mcpsm.LoginAsync("my-api", "--identity-provider", "https://login.microsoftonline.com/organizations/v2.0"))
            .Failed(2, "Entra ID issues no ID-JAGs");
        (await _mcpsm.LoginAsync("my-api", "--identity-provider", _provider.Issuer, "--client-credentials")).Failed(2, "--identity-provider signs in a person");
        (await _mcpsm.RunAsync($"identity use {_provider.Issuer} --client-secret-from-env WORK_SECRET")).Failed(2, "A client secret requires a client id.");
        (await _mcpsm.RunAsync($"identity use {_provider.Issuer} --client-id a --client-secret-from-env NO_SUCH")).Failed(2, "is not set");
        (await _mcpsm.RunAsync($"identity use {_provider.Issuer} --client-id at-work --client-secret-from-env WORK_SECRET")).Done();
        (await _mcpsm.LoginAsync("my-api", "--identity-provider", _provider.Issuer)).Done();
        Assert.Equal("IdentityProvider", (string?)(await _mcpsm.StatusAsync())["signedInBy"]);
        _mcpsm.Variables["ID_TOKEN"] = "no.jwt.PLANTED";
        var ended = await _mcpsm.RunAsync("identity login --id-token-from-env ID_TOKEN");
        ended.Failed(1, "The ID token cannot be used: it is not a JWT");
        Assert.DoesNotContain("PLANTED", ended.Out + ended.Error);
    }
}
