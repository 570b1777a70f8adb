using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

public sealed class LoginAllTests
{
    private static readonly Uri Nowhere = new("http://127.0.0.1:1/mcp");

    [Fact]
    public async Task Login_all_renews_or_signs_in_and_skips_valid_servers()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var longer = await TestIssuer.StartAsync(new AuthorizationServerOptions { AccessTokenLifetime = TimeSpan.FromHours(10) });
        await using var valid = await TestMcpServer.StartAsync(longer);
        await using var expired = await TestMcpServer.StartAsync(issuer);
        await using var fresh = await TestMcpServer.StartAsync(issuer);
        await using var bearer = await TestMcpServer.StartAsync();
        await using var off = await TestMcpServer.StartAsync();
        await using var open = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true, MetadataAtPath = false });
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(valid.McpUrl, "valid");
        await mcpsm.AddAsync(expired.McpUrl, "expired");
        await mcpsm.AddAsync(Nowhere, "nowhere");
        await mcpsm.AddAsync(bearer.McpUrl, "bearer");
        await mcpsm.AddAsync(off.McpUrl, "off", "--no-oauth");
        await mcpsm.AddAsync(open.McpUrl, "open");
        await mcpsm.AddAsync(fresh.McpUrl, "fresh");
        (await mcpsm.RunAsync("auth set bearer a-token")).Done();
        (await mcpsm.LoginAsync("valid")).Done();
        (await mcpsm.LoginAsync("expired")).Done();
        var validToken = await mcpsm.TokenAsync("valid");
        var expiredToken = await mcpsm.TokenAsync("expired");
        mcpsm.Clock.Now += TimeSpan.FromHours(2);
        valid.Traffic.Clear();
        issuer.Traffic.Clear();
        longer.Traffic.Clear();

        var ended = await mcpsm.RunAsync("auth login-all --no-browser");
        Assert.Equal(1, ended.Code);
        // In any order: each line is printed when its server is done.
        Assert.Equal("""
            valid: ✔ Authenticated (expires: in 8 h)
            ✔ Token of 'expired' renewed (expires: in 60 min).
            bearer: ✔ Bearer token set
            ○ 'open' does not need authentication.
            ✔ Signed in to 'fresh' (expires: in 60 min).
            """.Split('\n').Order(StringComparer.Ordinal), ended.Out.Trim().Split('\n').Order(StringComparer.Ordinal));
        Assert.Single(ended.Error.Split('\n'), l => l.StartsWith('✘'));
        Assert.Contains("✘ nowhere: Cannot reach http://127.0.0.1:1", ended.Error);
        Assert.Empty(longer.Traffic.Requests);
        Assert.Empty(valid.Traffic.Requests);
        Assert.Empty(bearer.Traffic.Requests);
        Assert.Empty(off.Traffic.Requests);
        Assert.Single(issuer.Traffic.OfGrant("refresh_token"));
        Assert.Single(issuer.Traffic.OfGrant("authorization_code"));
        Assert.Equal(validToken, await mcpsm.TokenAsync("valid"));
        Assert.Equal("a-token", await mcpsm.TokenAsync("bearer"));
        Assert.NotEqual(expiredToken, await mcpsm.TokenAsync("expired"));

        (await mcpsm.RunAsync("remove nowhere --yes")).Done();
        Assert.Equal("", (await mcpsm.RunAsync("auth login-all --no-browser")).Done().Error);
    }

    [Fact]
    public async Task Renewals_run_in_parallel_and_interactive_sign_ins_one_by_one()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        string[] old = ["a", "b", "c", "d", "e", "f"];
        string[] fresh = ["x", "y", "z"];
        foreach (var name in old.Concat(fresh))
        {
            await mcpsm.AddAsync(server.McpUrl, name);
        }
        foreach (var name in old)
        {
            (await mcpsm.LoginAsync(name)).Done();
        }
        mcpsm.Clock.Now += TimeSpan.FromHours(2);
        var (renewing, signingIn) = (new Crowd(), new Crowd());
        issuer.Faults.Before("/token", _ => renewing.PassAsync());
        var browse = mcpsm.Browse;
        mcpsm.Browse = async url =>
        {
            using var held = signingIn.Enter();
            await browse(url);
        };
        var ended = (await mcpsm.RunAsync("auth login-all --no-browser --throttle-limit 3")).Done();
        Assert.Equal(9, ended.Out.Split('\n').Count(l => l.StartsWith('✔')));
        Assert.InRange(renewing.Most, 2, 3);
        Assert.Equal((3, 1), (signingIn.Came, signingIn.Most));
    }

    /// <summary>Counts concurrent visitors.</summary>
    private sealed class Crowd
    {
        private readonly Lock _gate = new();
        private int _here;

        public int Came { get; private set; }

        public int Most { get; private set; }

        public IDisposable Enter()
        {
            lock (_gate)
            {
                Came++;
                Most = Math.Max(Most, ++_here);
            }
            return new Leaving(this);
        }

        public async Task PassAsync()
        {
            using var held = Enter();
            await Task.Delay(300);
        }

        private sealed class Leaving(Crowd crowd) : IDisposable
        {
            public void Dispose()
            {
                lock (crowd._gate)
                {
                    crowd._here--;
                }
            }
        }
    }

    [Fact]
    public async Task Rejected_refresh_token_leads_to_a_sign_in()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Done();
        issuer.Server.RevokeAllTokens();
        mcpsm.Clock.Now += TimeSpan.FromHours(1);
        var ended = (await mcpsm.RunAsync("auth login-all --no-browser")).Done();
        Assert.Contains("'my-api': The issuer no longer accepts the refresh token", ended.Error);
        Assert.Contains("✔ Signed in to 'my-api'", ended.Out);
    }

    [Fact]
    public async Task Login_all_without_a_person_renews_and_fails_for_the_rest_at_once()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        await using var other = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Done();
        mcpsm.Clock.Now += TimeSpan.FromHours(1);
        Assert.Contains("✔ Token of 'my-api' renewed (expires: in 60 min).", (await mcpsm.RunAsync("auth login-all --non-interactive")).Done().Out);

        await mcpsm.AddAsync(other.McpUrl, "other");
        mcpsm.Clock.Now += TimeSpan.FromHours(1);
        var ended = await mcpsm.RunAsync("auth login-all --non-interactive");
        Assert.Equal(1, ended.Code);
        Assert.Contains("✔ Token of 'my-api' renewed (expires: in 60 min).", ended.Out);
        Assert.Contains("Signing in to 'other' needs a person", ended.Error);
        Assert.Empty(other.Traffic.Requests);
    }

    [Fact]
    public async Task Login_all_without_servers_says_how_to_add_one()
    {
        using var mcpsm = new InProcessCli();
        Assert.Contains("mcpsm add <name>", (await mcpsm.RunAsync("auth login-all")).Done().Error);
    }
}
