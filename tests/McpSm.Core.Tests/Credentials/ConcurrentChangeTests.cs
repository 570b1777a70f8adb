using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.Samples;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Another process changes a server during a sign-in, or while a caller waits for the server's lock.</summary>
public sealed class ConcurrentChangeTests
{
    /// <summary>Runs a change of another process while the user is in the browser.</summary>
    private static void InTheBrowser(SignInFixture scene, Func<Authenticator, Task> act) => scene.Person.Browse = async url =>
    {
        await act(scene.Work.New());
        (await StandInBrowser.ClickThroughAsync(url)).Dispose();
    };

    private static Task<IReadOnlyList<string>> NamesAsync(SignInFixture scene) => new EncryptedFileVault(scene.Work.Home).NamesAsync(default);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Server_removed_during_sign_in_keeps_no_credential_and_tokens_are_revoked(bool signedIn)
    {
        await using var scene = signedIn ? await SignInFixture.SignedInAsync() : await SignInFixture.StartAsync();
        var server = scene.Server;
        InTheBrowser(scene, other => other.Servers.RemoveAsync(server, default));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.LoginAsync(server));
        Assert.Equal(ErrorReason.ServerNotFound, e.Reason);
        Assert.DoesNotContain("mcpsm-my-api", await NamesAsync(scene));
        Assert.Null(new CredentialIndex(scene.Work.Home).Read("my-api"));
        Assert.DoesNotContain(scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
    }

    [Fact]
    public async Task Server_moved_during_sign_in_keeps_the_token_set_for_its_new_URL()
    {
        await using var scene = await SignInFixture.StartAsync();
        var server = scene.Server;
        InTheBrowser(scene, other => other.Servers.UpdateAsync(server, new ServerUpdate { Url = "https://b.example/mcp", Token = "token-there" }, default));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.LoginAsync(server));
        Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth login my-api"), (e.Reason, e.Remedy.InShell()));
        Assert.Contains("was changed during the sign-in", e.Message);
        Assert.Equal("token-there", await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.DoesNotContain(scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
    }

    [Fact]
    public async Task Server_renamed_during_sign_in_is_signed_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        var server = scene.Server;
        InTheBrowser(scene, other => other.Servers.UpdateAsync(server, new ServerUpdate { Name = "another name" }, default));
        await scene.Work.LoginAsync(server);
        Assert.Equal(("another name", AuthState.Authenticated), (scene.Status.Name, scene.Status.State));
    }

    [Fact]
    public async Task Set_token_that_waits_for_the_lock_fails_if_the_server_is_gone()
    {
        await using var scene = await SignInFixture.StartAsync();
        var server = scene.Server;
        Task<string?> setting;
        using (await scene.Work.Home.LockAsync("server-my-api", Cancellation))
        {
            setting = scene.Authenticator.Servers.SetTokenAsync(server, "a-token", "file", Cancellation);
            await scene.Work.New().Catalog.RemoveAsync("my-api", Cancellation);
            Assert.False(setting.IsCompleted);
        }
        Assert.Equal(ErrorReason.ServerNotFound, (await Assert.ThrowsAsync<McpAuthException>(() => setting)).Reason);
        Assert.Empty(await NamesAsync(scene));
    }

    [Fact]
    public async Task URL_named_by_many_callers_at_once_adds_one_server()
    {
        using var work = new TestEnvironment();
        var found = await Task.WhenAll(Enumerable.Range(0, 12)
            .Select(_ => Task.Run(() => work.New().Servers.FindOrAddAsync("https://a.example/mcp", default))));
        Assert.Equal(work.Authenticator.Catalog.List().Single().Id, Assert.Single(found.Select(f => f.Server.Id).Distinct()));
        Assert.Single(found, f => f.IsNew);
    }

    [Fact]
    public async Task Sign_in_after_a_move_revokes_the_old_token_at_its_issuer()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var target = await SignInFixture.StartAsync();
        await scene.ChangeServerAsync(s => new(s) { Url = target.Resource.McpUrl.AbsoluteUri });
        await scene.LoginAsync();
        Assert.DoesNotContain(scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
        Assert.Contains(target.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
        Assert.Equal(200, await PingAsync(scene, target));

        static async Task<int> PingAsync(SignInFixture scene, SignInFixture target)
        {
            using var http = scene.Open();
            return await target.PingAsync(http);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Add_cut_off_at_any_vault_call_leaves_all_or_nothing(bool withHeaders)
    {
        for (var calls = 0; ; calls++)
        {
            using var work = new TestEnvironment();
            work.Variables["MCPSM_VAULT"] = "memory";
            var other = new MemoryVault { FailsAfter = calls };
            var auth = MemoryVault.CreateAuthenticator(work, other);
            var ended = await Record.ExceptionAsync(() => auth.Servers.AddAsync(new ServerUpdate
            {
                Name = "my-api",
                Url = "https://a.example/mcp",
                Token = "a-token",
                Headers = withHeaders ? new Dictionary<string, string> { ["X-Key"] = "1" } : null,
                ClientSecret = "a-secret",
            }, Cancellation));
            other.FailsAfter = null;
            Assert.Equal(ended is null ? 1 : 0, auth.Catalog.List().Count);
            Assert.Equal(ended is null ? 1 : 0, other.Items.Count);
            if (ended is null)
            {
                Assert.True(calls > 0);
                Assert.Equal("a-token", await auth.Tokens.GetTokenAsync(auth.Catalog.Get("my-api"), Cancellation));
                return;
            }
        }
    }
}
