using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Facts that lie since their writer was killed between the vault and them.</summary>
public sealed class CredentialIndexRepairTests
{
    private static string FactsOf(TestEnvironment work) => work.Home.PathOf("credentials.json");

    [Fact]
    public async Task Facts_of_the_place_before_a_move_are_mended_by_whoever_reads_the_token()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        await work.Authenticator.SetTokenAsync(server, "token-a", "file", default);
        var before = File.ReadAllBytes(FactsOf(work));
        server = (await work.Authenticator.UpdateServerAsync(server, new ServerUpdate { Url = "https://b.example/mcp", Token = "token-b" }, default)).Server;
        File.WriteAllBytes(FactsOf(work), before);
        Assert.Equal(AuthState.NotAuthenticated, work.Authenticator.Status(server).State);
        Assert.Equal("token-b", await work.Authenticator.GetTokenAsync(server, default));
        Assert.Equal(AuthState.BearerToken, work.Authenticator.Status(server).State);
    }

    [Fact]
    public async Task Facts_of_other_scopes_and_of_another_issuer_are_mended_too()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var index = new CredentialIndex(scene.Work.Home);
        var whole = index.Read("my-api")!;
        await index.WriteAsync("my-api", f => f! with { Scopes = ["of:before"], Issuer = "https://before.example", RenewalBegan = DateTimeOffset.UtcNow }, default);
        await scene.Authenticator.GetTokenAsync(scene.Server, default);
        Assert.Equal(whole.Issuer, scene.Status.Issuer);
        Assert.Equal(whole.Scopes!, scene.Status.Scopes);
        // Word of a renewal that was begun is no lie, and stays where the rest agrees.
        var began = DateTimeOffset.UtcNow;
        await index.WriteAsync("my-api", f => f! with { RenewalBegan = began }, default);
        await scene.Authenticator.GetTokenAsync(scene.Server, default);
        Assert.Equal(began, index.Read("my-api")!.RenewalBegan);
    }

    [Fact]
    public async Task Index_without_the_names_of_headers_gets_them_and_keeps_the_rest()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Authenticator.UpdateServerAsync(scene.Server, new ServerUpdate
        {
            Headers = new Dictionary<string, string> { ["X-Key"] = "hidden", ["A-Team"] = "blue" },
        }, default);
        var index = new CredentialIndex(scene.Work.Home);
        var began = DateTimeOffset.UtcNow;
        Assert.Equal(["A-Team", "X-Key"], index.Read("my-api")!.HeaderNames!);
        Assert.DoesNotContain("hidden", File.ReadAllText(FactsOf(scene.Work)));
        await index.WriteAsync("my-api", f => f! with { HeaderNames = null, RenewalBegan = began, AnsweredAnonymously = true }, default);
        await scene.Authenticator.GetTokenAsync(scene.Server, default);
        var mended = index.Read("my-api")!;
        Assert.Equal(["A-Team", "X-Key"], mended.HeaderNames!);
        Assert.Equal((began, true), (mended.RenewalBegan, mended.AnsweredAnonymously));
        // What is as it should be is not written again.
        var written = File.GetLastWriteTimeUtc(FactsOf(scene.Work));
        await scene.Authenticator.GetTokenAsync(scene.Server, default);
        Assert.Equal(written, File.GetLastWriteTimeUtc(FactsOf(scene.Work)));
    }

    [Fact]
    public async Task A_token_is_given_although_nothing_can_be_written_to_mend_them()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var token = await scene.Authenticator.GetTokenAsync(scene.Server, default);
        File.Delete(FactsOf(scene.Work));
        // No lock can be taken, as in a folder that is read-only.
        var locks = scene.Work.Home.PathOf("locks");
        Directory.Delete(locks, recursive: true);
        File.WriteAllText(locks, "");
        Assert.Equal(token, await scene.Authenticator.GetTokenAsync(scene.Server, default));
        File.Delete(locks);
        Assert.Equal(token, await scene.Authenticator.GetTokenAsync(scene.Server, default));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    [Fact]
    public async Task Facts_of_a_secret_that_is_gone_end_with_the_next_read()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        File.Delete(scene.Work.Home.PathOf("credentials.enc"));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        Assert.Equal(ErrorReason.AuthenticationRequired, (await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.GetTokenAsync(scene.Server, default))).Reason);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task Facts_that_somebody_forged_send_no_token_elsewhere()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var other = await SignInFixture.StartAsync();
        await scene.ChangeServerAsync(s => new(s) { Url = other.Resource.McpUrl.AbsoluteUri });
        await new CredentialIndex(scene.Work.Home).WriteAsync("my-api", f => f! with { Url = scene.Server.Url, Resource = scene.Server.Url, Issuer = other.Issuer.Issuer }, default);
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        Assert.Equal(ErrorReason.AuthenticationRequired, (await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.GetTokenAsync(scene.Server, default))).Reason);
        using var http = scene.Open();
        Assert.Equal(401, await other.PingAsync(http));
        Assert.All(other.Resource.Traffic.Requests, r => Assert.Null(r.Header("Authorization")));
    }

    [Fact]
    public async Task Items_that_somebody_swapped_in_the_vault_are_used_for_what_they_were_made_for_or_not_at_all()
    {
        await using var one = await SignInFixture.StartAsync();
        await using var two = await SignInFixture.StartAsync();
        var vault = new MemoryVault();
        one.Work.Variables["MCPSM_VAULT"] = "memory";
        var door = MemoryVault.Door(one.Work, vault);
        var options = new SignInOptions { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) };
        var servers = new[] { one.Server, await door.Catalog.AddAsync(new() { Id = "", Name = "two", Url = two.Resource.McpUrl.AbsoluteUri }, default) };
        foreach (var server in servers)
        {
            await door.ConnectAsync(server, options, default);
        }
        void Swap(string a, string b) => (vault.Items[a], vault.Items[b]) = (vault.Items[b], vault.Items[a]);
        Swap("mcpsm-my-api", "mcpsm-two");
        Swap(CredentialStore.ClientItemName(one.Issuer.Issuer), CredentialStore.ClientItemName(two.Issuer.Issuer));
        foreach (var server in servers)
        {
            Assert.Equal(ErrorReason.AuthenticationRequired, (await Assert.ThrowsAsync<McpAuthException>(() => door.GetTokenAsync(server, default))).Reason);
        }
        one.Issuer.Traffic.Clear();
        await door.ConnectAsync(door.Catalog.Get("my-api"), options, default);
        // Not the client of the other issuer: it is registered anew.
        Assert.Equal(1, one.Issuer.Traffic.Count("/register"));
        Assert.Equal(AuthState.Authenticated, door.Status(one.Server).State);
    }
}
