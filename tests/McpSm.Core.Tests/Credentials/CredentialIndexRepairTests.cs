using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Index entries that are stale because their writer was killed between the write to the vault and the write to the index.</summary>
public sealed class CredentialIndexRepairTests
{
    private static string FactsOf(TestEnvironment work) => work.Home.PathOf("credentials.json");

    [Fact]
    public async Task Index_entry_from_before_a_move_is_repaired_when_the_token_is_read()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        await work.Authenticator.Servers.SetTokenAsync(server, "token-a", "file", Cancellation);
        var before = File.ReadAllBytes(FactsOf(work));
        var update = new ServerUpdate { Url = "https://b.example/mcp", Token = "token-b" };
        server = (await work.Authenticator.Servers.UpdateAsync(server, update, Cancellation)).Server;
        File.WriteAllBytes(FactsOf(work), before);
        Assert.Equal(AuthState.NotAuthenticated, work.Authenticator.Status(server).State);
        Assert.Equal("token-b", await work.Authenticator.Tokens.GetTokenAsync(server, Cancellation));
        Assert.Equal(AuthState.BearerToken, work.Authenticator.Status(server).State);
    }

    [Fact]
    public async Task Index_entry_of_other_scopes_and_issuer_is_repaired()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var index = new CredentialIndex(scene.Work.Home);
        var whole = index.Read("my-api")!;
        await index.WriteAsync("my-api",
            f => f! with { Scopes = ["of:before"], Issuer = "https://before.example", RenewalBegan = DateTimeOffset.UtcNow }, Cancellation);
        await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.Equal(whole.Issuer, scene.Status.Issuer);
        Assert.Equal(whole.Scopes!, scene.Status.Scopes);
        // The mark of a renewal that began is correct, and stays if the rest agrees.
        var began = DateTimeOffset.UtcNow;
        await index.WriteAsync("my-api", f => f! with { RenewalBegan = began }, Cancellation);
        await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.Equal(began, index.Read("my-api")!.RenewalBegan);
    }

    [Fact]
    public async Task Index_without_header_names_gets_them_and_keeps_the_rest()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate
        {
            Headers = new Dictionary<string, string> { ["X-Key"] = "hidden", ["A-Team"] = "blue" },
        }, Cancellation);
        var index = new CredentialIndex(scene.Work.Home);
        var began = DateTimeOffset.UtcNow;
        Assert.Equal(["A-Team", "X-Key"], index.Read("my-api")!.HeaderNames!);
        Assert.DoesNotContain("hidden", File.ReadAllText(FactsOf(scene.Work)));
        await index.WriteAsync("my-api", f => f! with { HeaderNames = null, RenewalBegan = began, AnsweredAnonymously = true }, Cancellation);
        await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        var mended = index.Read("my-api")!;
        Assert.Equal(["A-Team", "X-Key"], mended.HeaderNames!);
        Assert.Equal((began, true), (mended.RenewalBegan, mended.AnsweredAnonymously));
        // A correct entry is not written again.
        var written = File.GetLastWriteTimeUtc(FactsOf(scene.Work));
        await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.Equal(written, File.GetLastWriteTimeUtc(FactsOf(scene.Work)));
    }

    [Fact]
    public async Task Token_is_returned_if_the_index_cannot_be_repaired()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var token = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        File.Delete(FactsOf(scene.Work));
        // Taking a lock fails, as in a read-only folder.
        var locks = scene.Work.Home.PathOf("locks");
        Directory.Delete(locks, recursive: true);
        File.WriteAllText(locks, "");
        Assert.Equal(token, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        File.Delete(locks);
        Assert.Equal(token, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    [Fact]
    public async Task Index_entry_of_a_missing_secret_is_removed_by_the_next_read()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        File.Delete(scene.Work.Home.PathOf("credentials.enc"));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        Assert.Equal(ErrorReason.AuthenticationRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation))).Reason);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task Forged_index_entry_sends_no_token_to_another_server()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var other = await SignInFixture.StartAsync();
        await scene.ChangeServerAsync(s => new(s) { Url = other.Resource.McpUrl.AbsoluteUri });
        await new CredentialIndex(scene.Work.Home)
            .WriteAsync("my-api", f => f! with { Url = scene.Server.Url, Resource = scene.Server.Url, Issuer = other.Issuer.Issuer }, Cancellation);
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        Assert.Equal(ErrorReason.AuthenticationRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation))).Reason);
        using var http = scene.Open();
        Assert.Equal(401, await other.PingAsync(http, Cancellation));
        Assert.All(other.Resource.Traffic.Requests, r => Assert.Null(r.Header("Authorization")));
    }

    [Fact]
    public async Task Vault_items_that_were_swapped_are_not_used_for_another_server()
    {
        await using var one = await SignInFixture.StartAsync();
        await using var two = await SignInFixture.StartAsync();
        var vault = new MemoryVault();
        one.Work.Variables["MCPSM_VAULT"] = "memory";
        var auth = MemoryVault.CreateAuthenticator(one.Work, vault);
        var options = TestEnvironment.SignIn;
        var servers = new[] { one.Server, await auth.Catalog.AddAsync(new() { Id = "", Name = "two", Url = two.Resource.McpUrl.AbsoluteUri }, Cancellation) };
        foreach (var server in servers)
        {
            await auth.SignIn.SignInAsync(server, options, Cancellation);
        }
        void Swap(string a, string b) => (vault.Items[a], vault.Items[b]) = (vault.Items[b], vault.Items[a]);
        Swap("mcpsm-my-api", "mcpsm-two");
        Swap(CredentialStore.ClientItemName(one.Issuer.Issuer), CredentialStore.ClientItemName(two.Issuer.Issuer));
        foreach (var server in servers)
        {
            Assert.Equal(ErrorReason.AuthenticationRequired,
                (await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.GetTokenAsync(server, Cancellation))).Reason);
        }
        one.Issuer.Traffic.Clear();
        await auth.SignIn.SignInAsync(auth.Catalog.Get("my-api"), options, Cancellation);
        // The client of the other issuer is not used, so one registration follows.
        Assert.Equal(1, one.Issuer.Traffic.Count("/register"));
        Assert.Equal(AuthState.Authenticated, auth.Status(one.Server).State);
    }
}
