using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using McpSm.Commands.Tests.Proxy;
using McpSm.Commands.Tests.Servers;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Settings;

/// <summary>The proxy and the authorities of the settings, with servers over TLS that only a proxy resolves.</summary>
public sealed class NetworkSettingTests : IAsyncLifetime
{
    private ProxyFixture _scene = null!;

    private string Authority => Path.Combine(_scene.Mcpsm.Folder, "authority.pem");

    public async ValueTask InitializeAsync()
    {
        _scene = await ProxyFixture.StartAsync();
        _scene.Mcpsm.Variables["SSL_CERT_FILE"] = null;
    }

    public ValueTask DisposeAsync() => _scene.DisposeAsync();

    [Rule(30)]
    [Fact]
    public async Task Proxy_and_authorities_of_the_settings_are_used_for_every_request()
    {
        await SetAsync("proxy", _scene.Proxy.Url);
        await SetAsync("ca-file", Authority);

        (await _scene.LoginAsync()).Done();
        Assert.Contains("OK", (await _scene.Mcpsm.RunAsync("test my-api")).Done().Out);
        (await _scene.Mcpsm.RunAsync("auth refresh my-api")).Done();
        (await _scene.Mcpsm.RunAsync("auth logout my-api --force")).Done();

        Assert.Equal(["issuer.example:443", "mcp.example:443"], _scene.Proxy.Connections.Distinct().Order());
    }

    [Fact]
    public async Task Authorities_are_trusted_in_addition_to_those_of_the_system()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");
        await SetAsync("proxy", _scene.Proxy.Url);
        await SetAsync("ca-file", WriteOtherAuthority());
        _scene.Mcpsm.Variables["SSL_CERT_FILE"] = Authority;

        (await _scene.LoginAsync()).Done();
    }

    [Fact]
    public async Task Certificate_of_another_authority_is_refused()
    {
        await SetAsync("proxy", _scene.Proxy.Url);
        await SetAsync("ca-file", WriteOtherAuthority());

        (await _scene.LoginAsync()).Failed(1, "a trusted TLS connection cannot be established");
    }

    [Fact]
    public async Task Certificate_for_another_name_is_refused()
    {
        using var proxy = new ForwardProxy((host, _) => host == "other.example" ? _scene.Server.Port : null);
        await SetAsync("proxy", proxy.Url);
        await SetAsync("ca-file", Authority);
        (await _scene.Mcpsm.RunAsync("add other --type http --url https://other.example/mcp")).Done();

        (await _scene.Mcpsm.RunAsync("auth login other --no-browser")).Failed(1, "a trusted TLS connection cannot be established");
        Assert.Contains("other.example:443", proxy.Connections);
    }

    [Fact]
    public async Task Authority_file_that_is_gone_is_named_in_the_error()
    {
        await SetAsync("proxy", _scene.Proxy.Url);
        await SetAsync("ca-file", Authority);
        File.Delete(Authority);

        (await _scene.LoginAsync()).Failed(2, "authority.pem", "it does not exist");
    }

    [Theory]
    [InlineData("MCPSM_CA_FILE")]
    [InlineData("NODE_EXTRA_CA_CERTS")]
    public async Task Variables_win_over_the_settings(string variable)
    {
        await SetAsync("proxy", "http://127.0.0.1:1");
        await SetAsync("ca-file", WriteOtherAuthority());
        _scene.Mcpsm.Variables["HTTPS_PROXY"] = _scene.Proxy.Url;
        _scene.Mcpsm.Variables[variable] = Authority;

        (await _scene.LoginAsync()).Done();
    }

    [Fact]
    public async Task Options_of_a_relay_win_over_variables_and_settings()
    {
        _scene.Mcpsm.Variables["MCPSM_VAULT"] = "file";
        await SetAsync("proxy", _scene.Proxy.Url);
        await SetAsync("ca-file", Authority);
        (await _scene.LoginAsync()).Done();
        var keys = Path.Combine(Directory.CreateDirectory(Path.Combine(_scene.Mcpsm.Folder, "keys")).FullName, "mcpsm.key");
        File.Move(Path.Combine(_scene.Mcpsm.Folder, "credentials.key"), keys);
        await SetAsync("proxy", "http://127.0.0.1:1");
        await SetAsync("ca-file", WriteOtherAuthority());
        foreach (var (name, value) in new[] { ("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "*"), ("MCPSM_VAULT_KEY_FILE", "/nowhere") })
        {
            _scene.Mcpsm.Variables[name] = value;
        }

        using var relay = _scene.Mcpsm.Start(["proxy", "my-api", "--proxy", _scene.Proxy.Url, "--no-proxy", "other.example", "--ca-file", Authority,
            "--vault-key-file", keys]);

        Assert.NotNull((await RelayScene.AskAsync(relay, RelayScene.Initialize))["result"]);
        relay.StandardInput.Close();
        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Rule(30)]
    [Fact]
    public async Task Host_of_the_no_proxy_setting_is_reached_directly()
    {
        await SetAsync("proxy", _scene.Proxy.Url);
        await SetAsync("no-proxy", "issuer.example");
        await SetAsync("ca-file", Authority);

        // DNS does not resolve the name.
        (await _scene.LoginAsync()).Failed(1, "issuer.example");
        Assert.Equal(["mcp.example:443"], _scene.Proxy.Connections.Distinct());
    }

    [Rule(30)]
    [Fact]
    public async Task Server_on_this_machine_is_reached_without_the_proxy()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        await SetAsync("proxy", "http://127.0.0.1:1");
        (await _scene.Mcpsm.RunAsync($"add local --type http --url {server.McpUrl}")).Done();

        Assert.Contains("OK", (await _scene.Mcpsm.RunAsync("test local")).Done().Out);
    }

    private async Task SetAsync(string name, string value) => (await _scene.Mcpsm.RunAsync(["config", "set", name, value])).Done();

    private string WriteOtherAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Another authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var path = Path.Combine(_scene.Mcpsm.Folder, "other.pem");
        File.WriteAllText(path, authority.ExportCertificatePem());
        return path;
    }
}
