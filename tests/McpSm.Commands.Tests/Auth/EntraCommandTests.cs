using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using McpSm.TestServers.Entra;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>
/// Tests of processes with Entra ID. The variables for a proxy and a trusted authority lead them to the fake over real TLS.
/// </summary>
public sealed class EntraCommandTests : IAsyncLifetime
{
    private static readonly Keys Key = Keys.Of("RS256");

    private readonly CliProcess _mcpsm = new();
    private FakeEntra _entra = null!;
    private EntraProxy _proxy = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _entra = await FakeEntra.StartAsync(LoopbackCertificates.Server);
        _proxy = new EntraProxy(_entra);
        _server = await TestMcpServer.StartAsync(new TestMcpServerOptions
        {
            Issuers = [$"https://login.microsoftonline.com/{FakeEntra.Tenant}/v2.0"],
            Scope = "api://my-api/mcp.tools",
        });
        _server.Introspect = token => _entra.Tokens.Introspect(token, _server.Resource);
        var authority = Path.Combine(_mcpsm.Folder, "authority.pem");
        LoopbackCertificates.WriteAuthorityPem(authority);
        _mcpsm.Variables["SSL_CERT_FILE"] = authority;
        _mcpsm.Variables["HTTPS_PROXY"] = _mcpsm.Variables["https_proxy"] = _proxy.Url;
        _mcpsm.Variables["NO_PROXY"] = _mcpsm.Variables["no_proxy"] = "127.0.0.1";
        _mcpsm.Follow = async line =>
        {
            if (CliProcess.AuthorizationUrl(line) is { } url)
            {
                (await _entra.ClickThroughAsync(url)).Dispose();
            }
        };
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        _proxy.Dispose();
        await _entra.DisposeAsync();
        Assert.DoesNotContain(_proxy.Connections, host => host.StartsWith('!'));
        Assert.Empty(_entra.Strays);
    }

    private async Task AddAsync(string options = "") =>
        (await _mcpsm.RunAsync($"add my-api --type http --url {_server.McpUrl}{options}")).Done();

    private async Task<JsonNode> StatusAsync() => JsonNode.Parse((await _mcpsm.RunAsync("auth status my-api --json")).Out)![0]!;

    [Fact]
    public async Task Person_signs_in_and_other_processes_renew_and_sign_out()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");
        await AddAsync($" --client-id {FakeEntra.Person}");
        var login = (await _mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0")).Done();
        Assert.Contains("Signed in to 'my-api'", login.Out);
        var status = await StatusAsync();
        Assert.Equal("Authenticated", (string?)status["state"]);
        Assert.Equal($"https://login.microsoftonline.com/{FakeEntra.Tenant}/v2.0", (string?)status["issuer"]);
        Assert.Equal("api://my-api/mcp.tools", (string?)status["scopes"]![0]);
        Assert.True((bool)status["canRenew"]!);

        var first = (await _mcpsm.RunAsync("auth token my-api")).Done().Out.Trim();
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Equal(2, _entra.Traffic.OfGrant("refresh_token").Select(r => r.FormValue("refresh_token")).Distinct().Count());
        Assert.NotEqual(first, (await _mcpsm.RunAsync("auth token my-api")).Done().Out.Trim());
        (await _mcpsm.RunAsync("test my-api")).Done();
        Assert.All(_proxy.Connections, host => Assert.Equal("login.microsoftonline.com:443", host));
        Assert.DoesNotContain(_entra.Traffic.Requests, r => r.Query.ContainsKey("resource") || r.Form.ContainsKey("resource"));

        var logout = (await _mcpsm.RunAsync("auth logout my-api --force")).Done();
        Assert.Contains("revo", logout.Out + logout.Error);
        Assert.Equal("NotAuthenticated", (string?)(await StatusAsync())["state"]);
        (await _mcpsm.RunAsync("auth token my-api")).Failed(4);
    }

    [Fact]
    public async Task Revoked_refresh_token_asks_for_sign_in()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");
        await AddAsync($" --client-id {FakeEntra.Person}");
        (await _mcpsm.RunAsync("auth login my-api --device")).Done();
        _entra.Tokens.RevokeAll();
        (await _mcpsm.RunAsync("auth refresh my-api")).Failed(4, "AADSTS50173");
        Assert.False((bool)(await StatusAsync())["canRenew"]!);
    }

    [Theory]
    [InlineData("--client-credentials")]
    [InlineData("--client-key-file KEY")]
    public async Task Client_signs_in_with_a_secret_or_a_certificate(string how)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");
        var file = Path.Combine(_mcpsm.Folder, "key.pem");
        File.WriteAllText(file, Key.Private + "\n" + Key.Certificate);
        using var certificate = Key.WithKey();
        _entra.Apps[FakeEntra.Daemon] = new EntraApp(FakeEntra.Daemon, FakeEntra.Secret, certificate);
        _mcpsm.Variables.Remove("MCPSM_INTERACTIVE");
        _mcpsm.Variables["CI"] = "true";
        _mcpsm.Variables["MCPSM_CLIENT_ID"] = FakeEntra.Daemon;
        _mcpsm.Variables["MCPSM_CLIENT_SECRET"] = how.Contains("key") ? null : FakeEntra.Secret;
        await AddAsync(" --scope api://my-api/.default");
        _server.Scope = "api://my-api/.default";
        (await _mcpsm.RunAsync("auth login my-api " + how.Replace("KEY", file))).Done();
        Assert.True((bool)(await StatusAsync())["canRenew"]!);
        _mcpsm.Variables["MCPSM_CLIENT_SECRET"] = null;
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Equal(2, _entra.Traffic.OfGrant("client_credentials").Count);
        Assert.All(_entra.Traffic.Requests, r => Assert.Equal(how.Contains("key"), r.Form.ContainsKey("client_assertion")));
        (await _mcpsm.RunAsync("test my-api")).Done();
    }

    [Theory]
    [InlineData("auth login my-api --managed-identity", null)]
    [InlineData($"auth login my-api --managed-identity {FakeEntra.Daemon}", FakeEntra.Daemon)]
    public async Task Azure_service_signs_in_with_its_managed_identity(string line, string? id)
    {
        await using var service = await FakeEntra.StartAsync();
        _mcpsm.Variables["IDENTITY_ENDPOINT"] = service.Origin + "/msi/token";
        _mcpsm.Variables["IDENTITY_HEADER"] = FakeEntra.IdentityHeader;
        _mcpsm.Variables.Remove("MCPSM_INTERACTIVE");
        _mcpsm.Variables["CI"] = "true";
        _server.Introspect = token => service.Tokens.Introspect(token, _server.Resource);
        _server.Scope = "api://my-api/.default";
        await AddAsync();
        (await _mcpsm.RunAsync(line)).Done();
        Assert.True((bool)(await StatusAsync())["canRenew"]!);
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        (await _mcpsm.RunAsync("test my-api")).Done();
        Assert.Equal(3, service.Traffic.Requests.Count);
        Assert.All(service.Traffic.Requests, r =>
        {
            Assert.Equal("/msi/token", r.Path);
            Assert.Equal("api://my-api", r.QueryValue("resource"));
            Assert.Equal(id, r.QueryValue("client_id"));
        });
        Assert.Empty(_proxy.Connections);
    }

    [Fact]
    public async Task Managed_identity_at_another_issuer_or_with_other_options_is_refused()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        (await _mcpsm.RunAsync($"add other --type http --url {server.McpUrl}")).Done();
        (await _mcpsm.RunAsync("auth login other --managed-identity")).Failed(2, "only to Microsoft Entra ID");
        (await _mcpsm.RunAsync("auth login other --managed-identity --client-credentials")).Failed(2, "--managed-identity cannot be combined with");
        (await _mcpsm.RunAsync("auth login other --managed-identity --device")).Failed(2, "--device signs in a person");
        Assert.Empty(issuer.Traffic.To("/token"));
    }

    [Fact]
    public async Task Process_killed_during_a_renewal_loses_no_sign_in()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");
        await AddAsync($" --client-id {FakeEntra.Person}");
        (await _mcpsm.RunAsync("auth login my-api --device")).Done();
        _entra.Faults.Hang($"/{FakeEntra.Tenant}/oauth2/v2.0/token", times: 1);
        using (var killed = _mcpsm.Start(["auth", "refresh", "my-api"]))
        {
            for (var i = 0; _entra.Traffic.OfGrant("refresh_token").Count == 0 && i < 1500; i++)
            {
                await Task.Delay(20, Cancellation);
            }
            killed.Kill(entireProcessTree: true);
            await killed.WaitForExitAsync(Cancellation);
        }
        Assert.Single(_entra.Traffic.OfGrant("refresh_token"));
        Assert.True((bool)(await StatusAsync())["canRenew"]!);
        var facts = Path.Combine(_mcpsm.Folder, "credentials.json");
        Assert.Contains("renewalBegan", File.ReadAllText(facts));
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.DoesNotContain("renewalBegan", File.ReadAllText(facts));
        (await _mcpsm.RunAsync("test my-api")).Done();
    }

    [Rule(31)]
    [Fact]
    public async Task Sign_in_on_a_machine_without_IPv6_works()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");
        _mcpsm.Variables["DOTNET_SYSTEM_NET_DISABLEIPV6"] = "1";
        await AddAsync($" --client-id {FakeEntra.Person}");
        (await _mcpsm.RunAsync("auth login my-api --callback-port 0 --timeout 20")).Done();
    }

    [Fact]
    public async Task Identity_library_is_loaded_only_to_contact_Entra()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");
        await AddAsync($" --client-id {FakeEntra.Person}");
        (await _mcpsm.RunAsync("auth login my-api --device")).Done();
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        var built = CliProcess.Built("mcpsm");
        var without = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "without")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(built)!)
            .Where(f => !Path.GetFileName(f).StartsWith("Microsoft.Identity", StringComparison.Ordinal) && !f.EndsWith(".deps.json", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(without, Path.GetFileName(file)));
        }
        _mcpsm.Executable = ["dotnet", Path.Combine(without, Path.GetFileName(built))];
        _mcpsm.Follow = async line =>
        {
            if (CliProcess.AuthorizationUrl(line) is { } url)
            {
                (await StandInBrowser.ClickThroughAsync(url)).Dispose();
            }
        };
        (await _mcpsm.RunAsync($"add other --type http --url {server.McpUrl}")).Done();
        foreach (var line in new[]
        {
            "auth login other --callback-port 0", "auth refresh other", "auth token other", "test other", "auth logout other --force",
            "--version", "list", "auth status", "auth token my-api", "auth token my-api --json", "test my-api",
        })
        {
            (await _mcpsm.RunAsync(line)).Done();
        }
        // Proves that the library was missing.
        Assert.NotEqual(0, (await _mcpsm.RunAsync("auth refresh my-api")).Code);
        (await _mcpsm.RunAsync("auth logout my-api --force")).Done();
    }
}
