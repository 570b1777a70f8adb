using System.Net;
using System.Security;
using System.Text.Json.Nodes;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of the cmdlets for the identity provider of the organisation (rule 34 of docs/rules.md), with two servers that trust it.</summary>
[Collection(SerialCollection.Name)]
public sealed class IdentityProviderCmdletTests : IAsyncLifetime
{
    private const string Secret = "PLANTED-at-work";
    private const string Connect = "Connect-McpIdentityProvider -NoBrowser -CallbackPort 0 -TimeoutSec 30";
    private const string Set = "Set-McpIdentityProvider $args[0] -ClientId at-work -ClientSecret $args[1]";

    private readonly ModuleSession _session = new();
    private TestIssuer _provider = null!;
    private AuthorizationServer _issuer = null!;
    private ProtectedMcpServer[] _servers = [];

    public async ValueTask InitializeAsync()
    {
        var organisation = new Organisation();
        _provider = await TestIssuer.StartAsync(new AuthorizationServerOptions
        {
            Organisation = organisation,
            ScopesSupported = ["openid", "offline_access"],
            SupportsRegistration = false,
            PreRegisteredClients =
                [new RegisteredClient("at-work", Secret,
                    [.. Enumerable.Range(1024, 64512).Select(port => $"http://127.0.0.1:{port}/callback")], "client_secret_basic")],
        });
        _issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions
        {
            TrustedIdentityProviders = [_provider.Issuer],
            PreRegisteredClients = [new RegisteredClient("at-server", null, [], "none")],
        });
        _servers = [await ProtectedMcpServer.StartAsync(_issuer), await ProtectedMcpServer.StartAsync(_issuer)];
        foreach (var (name, server) in new[] { ("one", _servers[0]), ("two", _servers[1]) })
        {
            organisation.Add(new OrganisationServer(_issuer.Issuer, server.McpUrl.AbsoluteUri, "at-server", ["mcp:tools"]));
            _session.Run("$null = Add-McpServer $args[0] $args[1] -ClientId at-server", name, server.McpUrl.AbsoluteUri);
        }
        _session.Run("Set-McpVault file");
    }

    public async ValueTask DisposeAsync()
    {
        _session.Dispose();
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
        await _issuer.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Rule(34)]
    [Fact]
    public void Sign_in_to_the_provider_serves_every_server_until_sign_out()
    {
        Assert.Empty(_session.Run("Get-McpIdentityProvider"));
        AssertFails(Connect, "AuthenticationRequired", null, "Set-McpIdentityProvider <issuer> -ClientId <id>");

        Assert.Equal("True at-work profile False Connect-McpIdentityProvider", _session.Text(
            Set + " -Scope profile -PassThru | ForEach-Object { \"$($_.IsSet) $($_.ClientId) $($_.Scopes) $($_.SignedIn) $($_.Remedy)\" }",
            _provider.Issuer, Secure(Secret)));
        Assert.Empty(_session.Run(Set, _provider.Issuer, Secure(Secret)));
        Assert.Empty(_provider.Traffic.Requests);
        AssertFails(Connect + " -NonInteractive", "InteractionRequired", _provider.Issuer, "Connect-McpIdentityProvider");

        Assert.Equal("True True ", Run($"$x = {Connect}; \"$($x.SignedIn) $($x.CanRenew) $($x.Remedy)\""));
        Assert.Equal(1, PeopleAsked);
        Assert.Equal("one IdentityProvider, two IdentityProvider",
            Run("(Connect-McpServer -All -ThrottleLimit 1 -NonInteractive).ForEach({ \"$($_.Name) $($_.SignedInBy)\" }) -join ', '"));
        Assert.Equal(1, PeopleAsked);
        AssertShownFromFactsAlone();

        Assert.Equal("False Connect-McpIdentityProvider",
            Run("Disconnect-McpIdentityProvider -Force -PassThru | ForEach-Object { \"$($_.SignedIn) $($_.Remedy)\" }"));
        Assert.Single(_provider.Traffic.To("/revoke"));
        Assert.Equal("", Run("Disconnect-McpIdentityProvider -Force"));
        AssertFails("Update-McpToken one", "AuthenticationRequired", "one", "Connect-McpServer one -IdentityProvider " + _provider.Issuer);
        Assert.Equal("Authenticated", Run("(Get-McpAuthStatus one).State"));

        Run(Connect);
        _provider.Faults.Answer("/revoke", 503);
        Assert.Empty(_session.Run("Remove-McpIdentityProvider -Force"));
        Assert.Contains("the issuer did not confirm that it revoked them", Assert.Single(_session.Warnings));
        Assert.Equal("", Run("Get-McpIdentityProvider; Remove-McpIdentityProvider -Force"));
        AssertNothingPlanted();
    }

    [Fact]
    public void WhatIf_and_a_declined_prompt_change_no_session_or_setting()
    {
        _session.Run(Set + " -WhatIf", _provider.Issuer, Secure(Secret));
        Assert.Empty(_session.Run("Get-McpIdentityProvider"));
        _session.Run(Set, _provider.Issuer, Secure(Secret));
        Assert.Equal("", Run(Connect + " -WhatIf"));
        Assert.Equal("False", Run("(Get-McpIdentityProvider).SignedIn"));
        Run(Connect);
        foreach (var line in (string[])["Disconnect-McpIdentityProvider", "Remove-McpIdentityProvider"])
        {
            Assert.Equal("", Run(line + " -Force -WhatIf"));
            _session.Host.Typed.Enqueue("n");
            Assert.Equal("", Run(line));
            Assert.Empty(_session.Host.Typed);
            Assert.Equal("True True", Run("Get-McpIdentityProvider | ForEach-Object { \"$($_.IsSet) $($_.SignedIn)\" }"));
        }
        Assert.Empty(_provider.Traffic.To("/revoke"));
        _session.Host.Typed.Enqueue("y");
        Assert.Equal("", Run("Remove-McpIdentityProvider"));
        Assert.Single(_provider.Traffic.To("/revoke"));
        Assert.Empty(_session.Run("Get-McpIdentityProvider"));
    }

    [Rule(34)]
    [Fact]
    public void ID_token_of_another_program_signs_in_and_is_never_shown()
    {
        string? idToken = null;
        _provider.Faults.RewriteJson("/token", answer => idToken ??= (string?)answer["id_token"]);
        _session.Run(Set, _provider.Issuer, Secure(Secret));
        Run(Connect);
        Run("Disconnect-McpIdentityProvider -Force -Local");
        Assert.Empty(_provider.Traffic.To("/revoke"));
        AssertFails("Connect-McpIdentityProvider -IdToken $args[0]", "TokenResponseInvalid", _provider.Issuer, null, Secure("no.jwt.PLANTED"));
        Assert.Equal("True False",
            _session.Text("Connect-McpIdentityProvider -NonInteractive -IdToken $args[0] | ForEach-Object { \"$($_.SignedIn) $($_.CanRenew)\" }",
                Secure(idToken!)));
        Assert.Equal("IdentityProvider", Run("(Connect-McpServer one -NonInteractive).SignedInBy"));
        Assert.Equal(1, PeopleAsked);
        Assert.DoesNotContain(_session.Host.Lines, l => l.Contains(idToken!));
        AssertNothingPlanted();
    }

    [Theory]
    [InlineData("https://login.microsoftonline.com/common/v2.0", "InvalidValue")]
    [InlineData("http://idp.example", "UnsafeEndpoint")]
    [InlineData("idp", "InvalidValue")]
    public void Invalid_provider_is_refused_and_not_saved(string issuer, string id)
    {
        AssertFails($"Set-McpIdentityProvider {issuer} -ClientId a", id, issuer, null);
        AssertFails($"Set-McpIdentityProvider {_provider.Issuer} -ClientSecret $args[0]", "InvalidValue", _provider.Issuer, null, Secure(Secret));
        Assert.Empty(_session.Run("Get-McpIdentityProvider"));
    }

    private int PeopleAsked => _session.Host.Lines.ToArray().Count(l => l.Contains("response_type=code"));

    /// <summary>Runs a script that must not fail.</summary>
    private string Run(string script)
    {
        var output = _session.Text(script);
        Assert.Empty(_session.Errors.Select(e => e.ToString()));
        return output;
    }

    private void AssertFails(string script, string id, string? target, string? next, params object[] arguments)
    {
        Assert.Empty(_session.Run(script, arguments));
        var error = Assert.Single(_session.Errors);
        Assert.Equal((id, target), (error.FullyQualifiedErrorId.Split(',')[0], (string?)error.TargetObject));
        Assert.Contains(next ?? "", error.ErrorDetails?.RecommendedAction ?? "");
        Assert.DoesNotContain("PLANTED", error.Exception.ToString() + error);
    }

    /// <summary>Asserts that the object has the values of <c>mcpsm identity --json</c>, without a request and without opening a vault.</summary>
    private void AssertShownFromFactsAlone()
    {
        var before = (_provider.Traffic.Requests.Count, _issuer.IssuedTokens.Count);
        var key = Path.Combine(_session.Folder, "credentials.key");
        File.Move(key, key + ".away");
        var shown = Assert.Single(_session.Run("Get-McpIdentityProvider"));
        var json = JsonNode.Parse(Run("mcpsm identity --json"))!.AsArray().Single()!;
        File.Move(key + ".away", key);
        Assert.Equal("McpSm.Core.McpIdentityProvider", shown.BaseObject.GetType().FullName);
        Assert.Equal(["one", "two"], (IReadOnlyList<string>)shown.Properties["Servers"].Value);
        Assert.Equal("one, two", shown.Properties["Servers"].Value.ToString());
        Assert.Equal(["one", "two"], json["servers"]!.AsArray().Select(s => (string?)s));
        Assert.Equal(_provider.Issuer, shown.Properties["Issuer"].Value);
        foreach (var name in (string[])["Issuer", "IsSet", "ClientId", "SignedIn", "CanRenew", "Vault"])
        {
            Assert.Equal(json[char.ToLowerInvariant(name[0]) + name[1..]]!.ToString(), shown.Properties[name].Value.ToString()!, ignoreCase: true);
        }
        foreach (var name in (string[])["SignedInAt", "ExpiresAt"])
        {
            Assert.Equal((DateTimeOffset)json[char.ToLowerInvariant(name[0]) + name[1..]]!, (DateTimeOffset)shown.Properties[name].Value);
        }
        Assert.Equal(before, (_provider.Traffic.Requests.Count, _issuer.IssuedTokens.Count));
    }

    private void AssertNothingPlanted()
    {
        Assert.DoesNotContain(_session.Host.Lines, l => l.Contains("PLANTED"));
        Assert.All(Directory.EnumerateFiles(_session.Folder), file => Assert.DoesNotContain("PLANTED", File.ReadAllText(file)));
    }

    private static SecureString Secure(string text) => new NetworkCredential("", text).SecurePassword;
}
