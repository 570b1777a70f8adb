using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Servers;

/// <summary>Tests of the address checks behind a proxy: the proxy of the user is trusted, addresses from the network are checked.</summary>
public sealed class ProxyTests
{
    public ProxyTests() => Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");

    [Rule(30)]
    [Theory]
    [InlineData("HTTPS_PROXY", "http://127.0.0.1:{0}")]
    [InlineData("https_proxy", "http://localhost:{0}")]
    [InlineData("HTTPS_PROXY", "127.0.0.1:{0}")]
    [InlineData("ALL_PROXY", "http://127.0.0.1:{0}")]
    [InlineData("ALL_PROXY", "socks5://127.0.0.1:{0}")]
    [InlineData("HTTPS_PROXY", "socks5://localhost:{0}")]
    public async Task Proxy_on_loopback_reaches_public_servers(string variable, string proxy)
    {
        await using var scene = await ProxyFixture.StartAsync();
        scene.Mcpsm.Variables[variable] = string.Format(proxy, scene.Proxy.Port);
        (await scene.LoginAsync()).Done();
        Assert.Contains("OK", (await scene.Mcpsm.RunAsync("test my-api")).Done().Out);
        (await scene.Mcpsm.RunAsync("auth refresh my-api")).Done();
        (await scene.Mcpsm.RunAsync("auth logout my-api --force")).Done();
        Assert.Equal(["issuer.example:443", "mcp.example:443"], scene.Proxy.Connections.Distinct().Order());
    }

    [Rule(30)]
    [Fact]
    public async Task Proxy_on_IPv6_loopback_reaches_public_servers()
    {
        Assert.SkipUnless(System.Net.Sockets.Socket.OSSupportsIPv6, "This machine has no IPv6.");
        await using var scene = await ProxyFixture.StartAsync();
        using var proxy = new ForwardProxy((host, _) => host == "mcp.example" ? scene.Server.Port : scene.Issuer.Server.BaseAddress.Port,
            System.Net.IPAddress.IPv6Loopback);
        scene.Mcpsm.Variables["HTTPS_PROXY"] = $"http://[::1]:{proxy.Port}";
        (await scene.LoginAsync()).Done();
        Assert.NotEmpty(proxy.Connections);
    }

    [Rule(30)]
    [Theory]
    [InlineData("http")]
    [InlineData("socks5")]
    public async Task Proxy_credentials_are_sent_and_never_shown(string scheme)
    {
        await using var scene = await ProxyFixture.StartAsync(credentials: "user:s3cret-of-proxy");
        scene.Mcpsm.Variables["HTTPS_PROXY"] = $"{scheme}://user:s3cret-of-proxy@127.0.0.1:{scene.Proxy.Port}";
        var login = (await scene.LoginAsync()).Done();
        Assert.DoesNotContain("s3cret-of-proxy", login.Out + login.Error);
        scene.Mcpsm.Variables["HTTPS_PROXY"] = $"{scheme}://user:wr0ng-of-proxy@127.0.0.1:{scene.Proxy.Port}";
        var refused = await scene.Mcpsm.RunAsync("auth login my-api --verbose");
        Assert.Equal(1, refused.Code);
        Assert.DoesNotContain("of-proxy", refused.Out + refused.Error);
    }

    [Rule(30)]
    [Fact]
    public async Task Proxy_is_chosen_by_the_scheme_of_each_url()
    {
        await using var scene = await ProxyFixture.StartAsync();
        using var plain = new ForwardProxy((host, port) => host == "plain.example" && port == 80 ? scene.Server.Port : null);
        scene.Mcpsm.Variables["HTTPS_PROXY"] = scene.Proxy.Url;
        scene.Mcpsm.Variables["http_proxy"] = plain.Url;
        (await scene.LoginAsync()).Done();
        Assert.Empty(plain.Connections);
        (await scene.Mcpsm.RunAsync("add plain --type http --url http://plain.example/mcp")).Done();
        await scene.Mcpsm.RunAsync("test plain");
        Assert.All(plain.Connections, c => Assert.Equal("plain.example:80", c));
        Assert.NotEmpty(plain.Connections);
    }

    [Rule(30)]
    [Fact]
    public async Task Host_in_NO_PROXY_is_contacted_directly()
    {
        await using var scene = await ProxyFixture.StartAsync();
        scene.Mcpsm.Variables["HTTPS_PROXY"] = scene.Proxy.Url;
        scene.Mcpsm.Variables["NO_PROXY"] = "issuer.example";
        // DNS does not resolve the name.
        (await scene.LoginAsync()).Failed(1, "issuer.example");
        Assert.Equal(["mcp.example:443"], scene.Proxy.Connections.Distinct());
    }

    [Rule(30)]
    [Fact]
    public async Task Metadata_URL_at_the_address_of_the_proxy_is_refused()
    {
        await using var scene = await ProxyFixture.StartAsync();
        scene.Mcpsm.Variables["HTTPS_PROXY"] = scene.Proxy.Url;
        scene.Server.Challenge = _ => $"Bearer resource_metadata=\"https://127.0.0.1:{scene.Proxy.Port}/x\"";
        (await scene.LoginAsync()).Failed(1, "127.0.0.1");
        Assert.Equal(["mcp.example:443"], scene.Proxy.Connections.Distinct());
    }

    [Rule(30)]
    [Theory]
    [InlineData("10.1.2.3")]
    [InlineData("[fd00::5]")]
    [InlineData("[::ffff:192.168.1.1]")]
    [InlineData("169.254.169.254")]
    public async Task Private_address_behind_a_proxy_is_refused(string host)
    {
        await using var scene = await ProxyFixture.StartAsync();
        scene.Mcpsm.Variables["HTTPS_PROXY"] = scene.Proxy.Url;
        scene.Server.Challenge = _ => $"Bearer resource_metadata=\"https://{host}/x\"";
        (await scene.LoginAsync()).Failed(1, "not safe to visit", host.Trim('[', ']').Replace("::ffff:", ""));
        Assert.Equal(["mcp.example:443"], scene.Proxy.Connections.Distinct());
    }

    [Rule(30)]
    [Fact]
    public async Task Issuer_at_a_private_address_is_used_only_if_the_user_named_it()
    {
        await using var scene = await ProxyFixture.StartAsync("100.64.0.5");
        scene.Mcpsm.Variables["HTTPS_PROXY"] = scene.Proxy.Url;
        const string remedy = "mcpsm server update my-api --issuer https://100.64.0.5";
        (await scene.LoginAsync()).Failed(1, "100.64.0.5", remedy);
        (await scene.Mcpsm.RunAsync(remedy["mcpsm ".Length..])).Done();
        (await scene.Mcpsm.RunAsync("auth login my-api --no-browser")).Done();
        (await scene.Mcpsm.RunAsync("auth refresh my-api")).Done();
    }

    [Rule(30)]
    [Theory]
    [InlineData("authorization_endpoint")]
    [InlineData("token_endpoint")]
    [InlineData("registration_endpoint")]
    public async Task Endpoint_at_a_private_address_needs_an_issuer_that_the_user_named(string endpoint)
    {
        await using var scene = await ProxyFixture.StartAsync();
        scene.Mcpsm.Variables["HTTPS_PROXY"] = scene.Proxy.Url;
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json[endpoint] = ((string)json[endpoint]!).Replace("issuer.example", "10.1.2.3"));
        (await scene.LoginAsync()).Failed(1, "10.1.2.3", "mcpsm server update my-api --issuer https://issuer.example");
        Assert.DoesNotContain("10.1.2.3:443", scene.Proxy.Connections);
        (await scene.Mcpsm.RunAsync("server update my-api --issuer https://issuer.example")).Done();
        (await scene.Mcpsm.RunAsync("auth login my-api --no-browser")).Done();
        (await scene.Mcpsm.RunAsync("auth refresh my-api")).Done();
        // Only the browser opens the authorization endpoint.
        Assert.Equal(endpoint != "authorization_endpoint", scene.Proxy.Connections.Contains("10.1.2.3:443"));
    }

    [Rule(30, 38)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Revocation_at_a_private_address_needs_an_issuer_that_the_user_named(bool isNamed)
    {
        await using var scene = await ProxyFixture.StartAsync();
        scene.Mcpsm.Variables["HTTPS_PROXY"] = scene.Proxy.Url;
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["revocation_endpoint"] = "https://10.1.2.3/revoke");
        (await scene.LoginAsync(isNamed ? " --issuer https://issuer.example" : "")).Done();
        (await scene.Mcpsm.RunAsync("auth logout my-api --force")).Done();
        Assert.Equal(isNamed, scene.Proxy.Connections.Contains("10.1.2.3:443"));
    }

    [Rule(30, 37)]
    [Fact]
    public async Task Device_endpoint_at_a_private_address_is_refused()
    {
        await using var scene = await ProxyFixture.StartAsync();
        scene.Mcpsm.Variables["HTTPS_PROXY"] = scene.Proxy.Url;
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["device_authorization_endpoint"] = "https://10.1.2.3/device");
        (await scene.Mcpsm.RunAsync("add my-api --type http --url https://mcp.example/mcp")).Done();
        (await scene.Mcpsm.RunAsync("auth login my-api --device")).Failed(1, "10.1.2.3", "--issuer https://issuer.example");
        Assert.DoesNotContain("10.1.2.3:443", scene.Proxy.Connections);
    }
}
