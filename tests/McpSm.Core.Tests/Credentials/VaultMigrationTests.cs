using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Moves between the encrypted file and a vault that can fail at any call.</summary>
public sealed class VaultMigrationTests
{
    [Fact]
    public async Task Move_takes_credentials_and_registrations_and_leaves_nothing_behind()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var other = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(scene.Work, other);
        var token = await auth.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.Equal(2, await auth.Vaults.MoveToAsync("memory", Cancellation));
        Assert.Empty(await new EncryptedFileVault(scene.Work.Home).NamesAsync(Cancellation));
        Assert.Equal(2, other.Items.Count);
        Assert.Equal(token, await auth.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(("memory", "memory"), (auth.Status(scene.Server).Vault, auth.Vaults.NameFor(null)));
        // The move took the registration along, so the sign-in does not register again, and it stores its credential in the new vault.
        await auth.SignIn.SignInAsync(scene.Server, new SignInOptions { CallbackPort = 0 }, Cancellation);
        Assert.Single(scene.Issuer.Traffic.To("/register"));
        Assert.Empty(await new EncryptedFileVault(scene.Work.Home).NamesAsync(Cancellation));
        Assert.Equal(2, await auth.Vaults.MoveToAsync("file", Cancellation));
        Assert.Empty(other.Items);
    }

    [Fact]
    public async Task Move_takes_the_session_at_the_identity_provider()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        var other = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(work.Work, other);
        Assert.Equal(3, await auth.Vaults.MoveToAsync("memory", Cancellation));
        Assert.Empty(await new EncryptedFileVault(work.Work.Home).NamesAsync(Cancellation));
        Assert.Equal("memory", auth.IdentityProviders.List()[0].Vault);
        clock.Advance(TimeSpan.FromHours(2));
        // The session is renewed in the new vault, with the secret of its client.
        Assert.NotNull(await auth.Tokens.GetTokenAsync(work.One, Cancellation));
        Assert.Empty(await new EncryptedFileVault(work.Work.Home).NamesAsync(Cancellation));
        Assert.Null(await auth.IdentityProviders.RemoveAsync(work.Provider.Issuer, Cancellation));
        Assert.Equal(2, other.Items.Count);
    }

    [Theory]
    [InlineData("memory")]
    [InlineData("file")]
    public async Task Move_cut_off_anywhere_keeps_credentials_usable_and_the_next_finishes(string to)
    {
        for (var calls = 1; ; calls++)
        {
            using var work = new TestEnvironment();
            var names = new[] { "a", "b", "c" };
            foreach (var name in names)
            {
                var server = await work.Authenticator.Catalog.AddAsync(new() { Id = "", Name = name, Url = $"https://{name}.example/mcp" }, Cancellation);
                await work.Authenticator.Servers.SetTokenAsync(server, "token-" + name, "file", Cancellation);
            }
            await work.Authenticator.Secrets.SetAsync("a tool's", SecretKind.String, "its secret", null, "file", Cancellation);
            var other = new MemoryVault { FailsAfter = calls };
            var ended = await Record.ExceptionAsync(() => MemoryVault.CreateAuthenticator(work, other).Vaults.MoveToAsync("memory", Cancellation));
            other.FailsAfter = null;
            var auth = MemoryVault.CreateAuthenticator(work, other);
            foreach (var server in auth.Catalog.List())
            {
                Assert.Equal("token-" + server.Id, await auth.Tokens.GetTokenAsync(server, Cancellation));
            }
            Assert.Equal("its secret", (await auth.Secrets.GetAsync("a tool's", null, Cancellation))?.Text);
            await auth.Vaults.MoveToAsync(to, Cancellation);
            foreach (var server in auth.Catalog.List())
            {
                Assert.Equal("token-" + server.Id, await auth.Tokens.GetTokenAsync(server, Cancellation));
            }
            Assert.Equal("its secret", (await auth.Secrets.GetAsync("a tool's", null, Cancellation))?.Text);
            var (target, source) = (await new EncryptedFileVault(work.Home).NamesAsync(Cancellation), other.Items.Keys.ToList());
            (target, source) = to == "file" ? (target, source) : (source, [.. target]);
            Assert.Equal((3, 1), (target.Count(n => n.StartsWith("mcpsm-")), target.Count(n => n.StartsWith("mcpsmsecret-"))));
            Assert.DoesNotContain(source, n => !n.StartsWith("mcpsmcheck-"));
            Assert.Empty(new Settings(work.Home).MovingFrom);
            if (ended is null)
            {
                Assert.True(calls > 10);
                return;
            }
        }
    }

    [Fact]
    public async Task Credential_removed_after_an_interrupted_move_does_not_return()
    {
        for (var calls = 1; ; calls++)
        {
            using var work = new TestEnvironment();
            var server = await work.AddAsync(new Uri("https://a.example/mcp"));
            await work.Authenticator.Servers.SetTokenAsync(server, "token", "file", Cancellation);
            await work.Authenticator.Secrets.SetAsync("a tool's", SecretKind.String, "its secret", null, "file", Cancellation);
            var other = new MemoryVault { FailsAfter = calls };
            var ended = await Record.ExceptionAsync(() => MemoryVault.CreateAuthenticator(work, other).Vaults.MoveToAsync("memory", Cancellation));
            other.FailsAfter = null;
            var auth = MemoryVault.CreateAuthenticator(work, other);
            await auth.Servers.ClearCredentialsAsync(server, Cancellation);
            await auth.Secrets.RemoveAsync("a tool's", null, Cancellation);
            foreach (var to in new[] { "memory", "file" })
            {
                await auth.Vaults.MoveToAsync(to, Cancellation);
                var e = await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.GetTokenAsync(server, Cancellation));
                Assert.Equal(ErrorReason.AuthenticationRequired, e.Reason);
                Assert.Null(await auth.Secrets.GetAsync("a tool's", null, Cancellation));
            }
            Assert.Empty(await new EncryptedFileVault(work.Home).NamesAsync(Cancellation));
            if (ended is null)
            {
                Assert.True(calls > 5);
                return;
            }
        }
    }

    [Fact]
    public async Task Secrets_of_other_tools_are_not_moved_to_SecretManagement()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        var other = new MemoryVault { Name = "secretmanagement:Store" };
        var auth = MemoryVault.CreateAuthenticator(work, other);
        await auth.Servers.SetTokenAsync(server, "token", "file", Cancellation);
        await auth.Secrets.SetAsync("a", SecretKind.SecureString, "its secret", null, null, Cancellation);
        Assert.Equal(1, await auth.Vaults.MoveToAsync(other.Name, Cancellation));
        Assert.Equal("mcpsm-my-api", Assert.Single(other.Items.Keys));
        Assert.StartsWith("mcpsmsecret-", Assert.Single(await new EncryptedFileVault(work.Home).NamesAsync(Cancellation)));
        Assert.Equal("its secret", (await auth.Secrets.GetAsync("a", null, Cancellation))?.Text);
        // The vault in use cannot hold secrets of other tools, so this one is stored with the others.
        await auth.Secrets.SetAsync("b", SecretKind.String, "another", null, null, Cancellation);
        Assert.Single(other.Items);
        Assert.Equal(["another", "its secret"],
            [(await auth.Secrets.GetAsync("B", null, Cancellation))?.Text, (await auth.Secrets.GetAsync("A", null, Cancellation))?.Text]);
    }

    [Fact]
    public async Task Secret_is_found_in_its_vault_after_another_vault_is_selected()
    {
        using var work = new TestEnvironment();
        var other = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(work, other);
        await auth.Secrets.SetAsync("a", SecretKind.String, "one", null, null, Cancellation);
        Assert.Null(new Settings(work.Home).Vault);
        await auth.Vaults.UseAsync("memory", Cancellation);
        Assert.Equal("one", (await auth.Secrets.GetAsync("a", null, Cancellation))?.Text);
        await auth.Secrets.SetAsync("b", SecretKind.String, "two", null, null, Cancellation);
        Assert.Single(other.Items);
        Assert.Equal(["a", "b"], (await auth.Secrets.ListSecretsAsync(_ => true, null, Cancellation)).Select(s => s.Name).Order());
        // Setting the secret with another vault moves it there and deletes the old copy.
        await auth.Secrets.SetAsync("a", SecretKind.String, "three", null, "memory", Cancellation);
        Assert.Empty(await new EncryptedFileVault(work.Home).NamesAsync(Cancellation));
        Assert.Equal("three", (await auth.Secrets.GetAsync("a", "file", Cancellation))?.Text);
    }

    [Fact]
    public async Task Vault_that_returns_other_content_receives_no_credential()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => MemoryVault.CreateAuthenticator(scene.Work, new MemoryVault { ForgetsWrites = true })
            .Vaults.MoveToAsync("memory", Cancellation));
        Assert.Equal(ErrorReason.VaultUnavailable, e.Reason);
        Assert.Equal("file", scene.Status.Vault);
        await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Reader_during_a_move_always_finds_the_credential()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        var other = new MemoryVault();
        await work.Authenticator.Servers.SetTokenAsync(server, "token", "file", Cancellation);
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            for (; !stop.IsCancellationRequested; await Task.Yield())
            {
                Assert.Equal("token", await MemoryVault.CreateAuthenticator(work, other).Tokens.GetTokenAsync(server, default));
                Assert.Equal(AuthState.BearerToken, work.Authenticator.Status(server).State);
            }
        }, Cancellation);
        for (var i = 0; i < 20; i++)
        {
            await MemoryVault.CreateAuthenticator(work, other).Vaults.MoveToAsync(i % 2 == 0 ? "memory" : "file", Cancellation);
        }
        stop.Cancel();
        await reading;
    }
}
