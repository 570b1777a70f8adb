using System.Net;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Errors;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Http;

/// <summary>The addresses that a server can lead to, by the scope of the address and the location of the server.</summary>
public sealed class AddressPolicyTests
{
    private readonly FakeNetwork _network = new();

    public AddressPolicyTests()
    {
        _network.Names["server.example"] = ["203.0.113.9"];
        _network.Names["inner.example"] = ["10.0.0.5"];
        _network.Names["inner6.example"] = ["fd00::5"];
    }

    private UrlPolicy Policy(string server = "https://server.example/mcp", string? issuer = null) => new McpServer
    {
        Id = "my-api",
        Name = "my-api",
        Url = server,
        Issuer = issuer,
    }.PolicyIn(new(_ => null) { Network = _network });

    private async Task<McpAuthException> GetAsync(string url, UrlPolicy policy)
    {
        using var http = new RestrictedHttpClient(policy);
        return await Assert.ThrowsAsync<McpAuthException>(() => http.GetAsync(url, "It", default));
    }

    private static McpAuthException Refused(UrlPolicy policy, string address) =>
        Assert.Throws<McpAuthException>(() => policy.CheckAddress("issuer.example", IPAddress.Parse(address)));

    [Rule(30)]
    [Theory]
    [InlineData("10.1.2.3")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("fc00::1")]
    [InlineData("fdff::1")]
    [InlineData("fec0::1")]
    [InlineData("2002:5db8:d822::1")]
    [InlineData("::93.184.216.34")]
    [InlineData("::10.1.2.3")]
    [InlineData("::ffff:10.1.2.3")]
    [InlineData("::ffff:0:10.1.2.3")]
    [InlineData("64:ff9b::10.1.2.3")]
    [InlineData("64:ff9b:1:a01:2:300::")]
    [InlineData("64:ff9b:1:a01:2:300:5db8:d822")]
    [InlineData("64:ff9b:1:a:1:203::")]
    [InlineData("64:ff9b:1:0:a:102:300:0")]
    [InlineData("64:ff9b:1::10.1.2.3")]
    [InlineData("64:ff9b:1:5db8::10.1.2.3")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2")]
    public void Private_address_requires_a_server_in_a_private_network(string address)
    {
        var e = Refused(Policy(), address);
        Assert.Equal(ErrorReason.UnsafeEndpoint, e.Reason);
        Assert.Contains(IPAddress.Parse(address).ToString(), e.Message);
        Policy("https://inner.example/mcp").CheckAddress("issuer.example", IPAddress.Parse(address));
        Policy("https://inner6.example/mcp").CheckAddress("issuer.example", IPAddress.Parse(address));
        Policy("https://10.9.9.9/mcp").CheckAddress("issuer.example", IPAddress.Parse(address));
        Policy("https://[fd00::9]/mcp").CheckAddress("issuer.example", IPAddress.Parse(address));
        Policy("http://localhost/mcp").CheckAddress("issuer.example", IPAddress.Parse(address));
    }

    [Rule(30)]
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("169.254.169.254")]
    [InlineData("fe80::1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    [InlineData("100.100.100.200")]
    [InlineData("192.0.0.192")]
    [InlineData("168.63.129.16")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd20:ce::254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::127.0.0.1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2002:a9fe:a9fe::1")]
    [InlineData("64:ff9b:1:a9fe:a9:fe00::")]
    [InlineData("64:ff9b:1:7f00:0:100::")]
    [InlineData("64:ff9b:1::127.0.0.1")]
    [InlineData("64:ff9b:1::")]
    public void Address_of_the_local_machine_is_refused_for_every_server(string address)
    {
        foreach (var server in new[] { "https://server.example/mcp", "https://inner.example/mcp", "https://inner6.example/mcp", "https://10.9.9.9/mcp" })
        {
            Assert.Equal(ErrorReason.UnsafeEndpoint, Refused(Policy(server), address).Reason);
        }
    }

    [Rule(30)]
    [Theory]
    [InlineData("93.184.216.34")]
    [InlineData("198.18.0.1")]
    [InlineData("198.19.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("192.0.2.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("64:ff9b::93.184.216.34")]
    [InlineData("64:ff9b:1:5db8:d8:2200::")]
    [InlineData("64:ff9b:1:5d0a:1:200::")]
    [InlineData("64:ff9b:1::93.184.216.34")]
    [InlineData("64:ff9b:1:1::93.184.216.34")]
    public void Public_address_is_allowed_without_a_DNS_lookup(string address)
    {
        Policy().CheckAddress("issuer.example", IPAddress.Parse(address));
        Assert.Empty(_network.LookedUp);
    }

    [Rule(30)]
    [Fact]
    public async Task Issuer_at_a_private_address_is_refused_with_a_remedy()
    {
        _network.Names["issuer.example"] = ["100.64.0.5"];
        var policy = Policy();
        using var http = new RestrictedHttpClient(policy);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => AuthorizationServerMetadata.FindAsync(http, policy, "https://issuer.example/a", Cancellation));
        Assert.Equal(ErrorReason.UnsafeEndpoint, e.Reason);
        Assert.Contains("100.64.0.5", e.Message);
        Assert.EndsWith("mcpsm server update my-api --issuer https://issuer.example/a", e.Remedy.InShell());
        Assert.Empty(_network.Tried);
    }

    [Rule(30)]
    [Fact]
    public async Task Issuer_named_by_the_user_is_allowed_at_any_address()
    {
        _network.Names["issuer.example"] = ["100.64.0.5"];
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://issuer.example/", Policy(issuer: "https://issuer.example"))).Reason);
        Assert.Equal(["100.64.0.5"], _network.Tried);
    }

    [Rule(30)]
    [Fact]
    public async Task Endpoints_of_an_issuer_named_by_the_user_can_be_private()
    {
        _network.Names["token.example"] = ["10.0.0.7"];
        var policy = Policy(issuer: "https://issuer.example");
        policy.Ask("https://issuer.example", "https://token.example/t");
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://token.example/t", policy)).Reason);
        var other = Policy(issuer: "https://issuer.example");
        other.Ask("https://other.example", "https://token.example/t");
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await GetAsync("https://token.example/t", other)).Reason);
        policy.Ask("https://issuer.example", "https://127.0.0.1/t");
        Assert.Equal(ErrorReason.UnsafeEndpoint, Assert.Throws<McpAuthException>(() => policy.Check("https://127.0.0.1/t", "It")).Reason);
    }

    [Rule(30)]
    [Fact]
    public async Task Private_server_can_lead_into_its_network()
    {
        _network.Names["issuer.example"] = ["10.0.0.7", "10.0.0.8"];
        var policy = Policy("https://inner.example/mcp");
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://issuer.example/", policy)).Reason);
        Assert.Equal(["10.0.0.7", "10.0.0.8"], _network.Tried);
        Assert.Equal("https://192.168.7.7/x", policy.Check("https://192.168.7.7/x", "It").AbsoluteUri);
        Assert.Single(_network.LookedUp, "inner.example");
    }

    [Rule(30)]
    [Fact]
    public async Task Split_horizon_name_is_looked_up_once_per_policy()
    {
        _network.Names["issuer.example"] = ["10.0.0.7"];
        _network.Names["server.example"] = ["10.0.0.5"];
        var inOffice = Policy();
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://issuer.example/", inOffice)).Reason);
        _network.Names["server.example"] = ["203.0.113.9"];
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://issuer.example/", inOffice)).Reason);
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await GetAsync("https://issuer.example/", Policy())).Reason);
    }

    [Rule(30)]
    [Fact]
    public async Task Server_with_public_and_private_addresses_is_public()
    {
        _network.Names["server.example"] = ["10.0.0.5", "203.0.113.9"];
        _network.Names["issuer.example"] = ["10.0.0.7"];
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await GetAsync("https://issuer.example/", Policy())).Reason);
    }

    [Rule(30)]
    [Fact]
    public void Server_reached_on_the_internet_stays_public()
    {
        var policy = Policy();
        policy.Connected("server.example", IPAddress.Parse("203.0.113.9"));
        _network.Names["server.example"] = ["10.0.0.5"];
        Assert.Equal(ErrorReason.UnsafeEndpoint, Refused(policy, "10.0.0.7").Reason);
    }

    [Rule(30)]
    [Fact]
    public async Task Allowed_addresses_of_a_name_are_tried()
    {
        _network.Names["issuer.example"] = ["10.0.0.7", "203.0.113.7", "127.0.0.1"];
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://issuer.example/", Policy())).Reason);
        Assert.Equal(["203.0.113.7"], _network.Tried);
    }

    [Rule(30)]
    [Fact]
    public async Task IPv6_only_networks_follow_the_same_rules()
    {
        _network.Names["issuer.example"] = ["fd00::7"];
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await GetAsync("https://issuer.example/", Policy())).Reason);
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await GetAsync("https://[fd00::7]/", Policy())).Reason);
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://issuer.example/", Policy("https://inner6.example/mcp"))).Reason);
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://[fd00::7]/", Policy("https://[fd00::9]/mcp"))).Reason);
        Assert.Equal(["fd00::7", "fd00::7"], _network.Tried);
    }

    [Rule(30)]
    [Theory]
    [InlineData("https://10.1.2.3/x")]
    [InlineData("https://[::ffff:10.1.2.3]/x")]
    [InlineData("https://3232235777/x")]
    public async Task Redirect_into_a_private_network_is_refused(string location)
    {
        await using var server = RawServer.Answering($"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        // The user pinned an issuer on this machine for a public server.
        var e = await GetAsync(server.Url.AbsoluteUri, Policy(issuer: server.Url.AbsoluteUri));
        Assert.Equal(ErrorReason.UnsafeEndpoint, e.Reason);
        Assert.DoesNotContain("--issuer", e.Remedy.InShell());
    }

    [Rule(30)]
    [Fact]
    public async Task Proxy_resolves_names_but_addresses_are_checked()
    {
        _network.ProxyUrl = new Uri("http://10.0.0.1:3128");
        _network.Names["server.example"] = ["10.0.0.5"];
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await GetAsync("https://10.0.0.7/", Policy())).Reason);
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://issuer.example/", Policy())).Reason);
        Assert.Empty(_network.LookedUp);
        Assert.Equal(["10.0.0.1"], _network.Tried);
    }

    [Rule(30)]
    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("nothing")]
    public async Task Proxy_password_is_not_in_exceptions(string answer)
    {
        await using var proxy = RawServer.Answering(answer);
        _network.ProxyUrl = new Uri($"http://user:s3cret-of-proxy@127.0.0.1:{proxy.Url.Port}");
        var e = await GetAsync("https://issuer.example/", Policy());
        Assert.Equal(ErrorReason.ServerUnreachable, e.Reason);
        Assert.DoesNotContain("s3cret-of-proxy", e.ToString());
    }

    [Rule(30)]
    [Fact]
    public async Task Proxy_host_on_another_port_is_checked()
    {
        await using var proxy = RawServer.Answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        _network.Names["proxy.example"] = ["127.0.0.1"];
        _network.ProxyUrl = new Uri($"http://proxy.example:{proxy.Url.Port}");
        Assert.Equal(ErrorReason.ServerUnreachable, (await GetAsync("https://issuer.example/", Policy())).Reason);
        Assert.Equal(1, proxy.Connections);
        _network.ProxyUrl = null;
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await GetAsync($"https://proxy.example:{proxy.Url.Port}/", Policy())).Reason);
        Assert.Equal(1, proxy.Connections);
    }

    [Rule(27, 30)]
    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST")]
    [InlineData("localhost.")]
    [InlineData("x.localhost")]
    [InlineData("a.b.LocalHost.")]
    public async Task Name_under_localhost_stays_on_this_machine(string host)
    {
        await using var server = RawServer.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
        var url = $"http://{host}:{server.Url.Port}/";
        _network.ProxyUrl = new Uri("http://203.0.113.1:3128");
        foreach (var answer in new string[]?[] { ["203.0.113.9"], ["203.0.113.9", "127.0.0.1"], ["2001:db8::9", "10.0.0.1"], null })
        {
            _network.Names.Clear();
            if (answer is not null)
            {
                _network.Names[new Uri(url).IdnHost] = answer;
            }
            using var http = new RestrictedHttpClient(Policy(url));
            Assert.Equal(200, (await http.GetAsync(url, "It", Cancellation)).Status);
        }
        Assert.All(_network.Tried, a => Assert.Contains(a, new[] { "127.0.0.1", "::1" }));
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await GetAsync(url, Policy())).Reason);
        Assert.Equal(4, server.Connections);
    }

    [Rule(27)]
    [Theory]
    [InlineData("http://localhost.example/")]
    [InlineData("http://notlocalhost/")]
    [InlineData("http://127.0.0.1.example/")]
    public void Name_that_resembles_localhost_is_not_secure(string url) => Assert.False(UrlPolicy.IsSecure(new Uri(url)));
}
