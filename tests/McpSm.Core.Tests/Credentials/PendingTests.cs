using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>If a vault cannot be written, the tokens that the issuer returned are kept as pending in the encrypted file.</summary>
public sealed class PendingTests
{
    private const string Item = "mcpsm-my-api";

    // A renewal reads the vault twice and rehearses a write: the next call, which stores the new token, is the first to fail.
    private const int CallsBeforeKeeping = 3;

    private readonly ManualTimeProvider _clock = new();

    [Rule(23)]
    [Fact]
    public async Task Vault_that_fails_after_the_response_keeps_the_token_as_pending()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault();
        var auth = await SignedInAsync(scene, vault);
        var before = vault.Items[Item];
        vault.FailsAfter = CallsBeforeKeeping;
        var e = await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.VaultUnavailable, ExpectedRemedy), (e.Reason, e.Remedy.InShell()));
        Assert.Contains("waits in credentials.enc", e.Message);
        Assert.Equal(before, VaultItemPadding.Remove(vault.Items[Item]));
        Assert.Equal((true, AuthState.Authenticated, ExpectedRemedy), (scene.Status.Pending, scene.Status.State, scene.Status.Remedy));
        // The vault is still locked. A new authenticator stands for another process.
        var token = await MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.True(scene.Issuer.Server.Introspect(token)?.Active);
        // No refresh token is sent before the vault can be written again. The first successful write then moves the item there.
        Assert.Equal(ErrorReason.VaultUnavailable,
            (await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.RenewAsync(scene.Server, Cancellation))).Reason);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
        vault.FailsAfter = null;
        Assert.NotEqual(token, (await MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.RenewNowAsync(scene.Server, Cancellation)).AccessToken);
        Assert.False(scene.Status.Pending);
        Assert.False(File.Exists(scene.Work.Home.PathOf("credentials.enc")));
        Assert.DoesNotContain("padding", vault.Items[Item]);
    }

    private const string ExpectedRemedy = "mcpsm auth refresh my-api";

    [Fact]
    public async Task Token_that_cannot_be_stored_anywhere_is_returned_with_a_warning()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault();
        var auth = await SignedInAsync(scene, vault);
        File.WriteAllText(scene.Work.Home.PathOf("credentials.enc"), "someone else's file");
        vault.FailsAfter = CallsBeforeKeeping;
        Expire();
        var token = await auth.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.True(scene.Issuer.Server.Introspect(token)?.Active);
        var warning = Assert.Single(scene.Person.Warnings, n => n.Contains("could not be stored"));
        Assert.Contains("mcpsm auth login my-api", warning);
        Assert.Equal("someone else's file", File.ReadAllText(scene.Work.Home.PathOf("credentials.enc")));
    }

    [Fact]
    public async Task Token_that_is_pending_is_returned_with_a_warning()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault();
        var auth = await SignedInAsync(scene, vault);
        vault.FailsAfter = CallsBeforeKeeping;
        Expire();
        Assert.True(scene.Issuer.Server.Introspect(await auth.Tokens.GetTokenAsync(scene.Server, Cancellation))?.Active);
        Assert.Contains(ExpectedRemedy, Assert.Single(scene.Person.Warnings, n => n.Contains("waits in credentials.enc")));
        Assert.True(scene.Status.Pending);
    }

    [Rule(23)]
    [Fact]
    public async Task Vault_that_refuses_the_rehearsal_prevents_the_renewal()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault { FailsWith = ErrorReason.VaultLocked };
        var auth = await SignedInAsync(scene, vault);
        vault.FailsAfter = CallsBeforeKeeping - 1;
        Assert.Equal(ErrorReason.VaultLocked, (await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.RenewAsync(scene.Server, Cancellation))).Reason);
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
        vault.FailsAfter = null;
        await auth.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Pending_item_never_replaces_a_later_write_to_the_vault()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault();
        var auth = await PendingAsync(scene, vault);
        // An older version wrote it, or a process that was killed before its cleanup.
        var later = JsonNode.Parse(vault.Items[Item])!;
        later["oAuth"]!["accessToken"] = "later-token";
        vault.Items[Item] = later.ToJsonString();
        Assert.Equal("later-token", await auth.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.False(scene.Status.Pending);
        vault.Items.Clear();
        Assert.Equal(ErrorReason.AuthenticationRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.GetTokenAsync(scene.Server, Cancellation))).Reason);
    }

    [Fact]
    public async Task Logout_of_a_pending_credential_revokes_and_removes_it()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault();
        var auth = await PendingAsync(scene, vault);
        var token = await auth.Tokens.GetTokenAsync(scene.Server, Cancellation);
        vault.FailsAfter = null;
        await auth.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.NotEqual(true, scene.Issuer.Server.Introspect(token)?.Active);
        Assert.Equal((AuthState.NotAuthenticated, false), (scene.Status.State, scene.Status.Pending));
        Assert.DoesNotContain(Item, vault.Items.Keys);
        Assert.False(File.Exists(scene.Work.Home.PathOf("credentials.enc")));
    }

    [Fact]
    public async Task Server_removal_deletes_the_pending_credential()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault();
        var auth = await PendingAsync(scene, vault);
        vault.FailsAfter = null;
        await auth.Servers.RemoveAsync(scene.Server, Cancellation);
        Assert.False(File.Exists(scene.Work.Home.PathOf("credentials.enc")));
    }

    [Theory]
    [InlineData("file")]
    [InlineData("second")]
    public async Task Move_to_another_vault_takes_the_pending_credential(string to)
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault();
        var auth = await PendingAsync(scene, vault);
        var token = await auth.Tokens.GetTokenAsync(scene.Server, Cancellation);
        vault.FailsAfter = null;
        var second = new MemoryVault { Name = "second" };
        auth = MemoryVault.CreateAuthenticator(scene.Work, vault, second);
        await auth.Vaults.MoveToAsync(to, Cancellation);
        Assert.Equal(token, await auth.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal((to, false), (scene.Status.Vault, scene.Status.Pending));
        Assert.Empty(vault.Items);
        Assert.Empty(await new EncryptedFileVault(scene.Work.Home).PendingAsync(Cancellation));
        await auth.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Pending_item_for_another_vault_is_not_listed_by_the_file_vault()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault();
        var auth = await PendingAsync(scene, vault);
        Assert.Empty(await new VaultSelector(scene.Work.Home, [], _ => { }).Find("file").NamesAsync(Cancellation));
        // A move from the file to another vault leaves the pending item in the file.
        vault.FailsAfter = null;
        await auth.Vaults.RekeyFileAsync(null, Cancellation);
        Assert.Single(await new EncryptedFileVault(scene.Work.Home).PendingAsync(Cancellation));
    }

    [Fact]
    public async Task File_vault_that_cannot_be_written_has_a_separate_pending_file()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        var before = File.ReadAllBytes(scene.Work.Home.PathOf("credentials.enc"));
        scene.Issuer.Faults.Before("/token", _ =>
        {
            // The rehearsal found the file writable, and it no longer is when the response arrives.
            before = File.ReadAllBytes(scene.Work.Home.PathOf("credentials.enc"));
            File.Delete(scene.Work.Home.PathOf("credentials.enc"));
            Directory.CreateDirectory(scene.Work.Home.PathOf("credentials.enc/in-the-way"));
            return Task.CompletedTask;
        }, times: 1);
        Expire();
        var token = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.Contains(scene.Person.Warnings, n => n.Contains("waits in credentials.pending.enc"));
        Directory.Delete(scene.Work.Home.PathOf("credentials.enc"), recursive: true);
        File.WriteAllBytes(scene.Work.Home.PathOf("credentials.enc"), before);
        Assert.Equal(token, await scene.Work.New().Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.True(scene.Status.Pending);
        // The pending item is readable after a key change.
        await scene.Authenticator.Vaults.RekeyFileAsync(null, Cancellation);
        Assert.Equal(token, await scene.Work.New().Tokens.GetTokenAsync(scene.Server, Cancellation));
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.False(File.Exists(scene.Work.Home.PathOf("credentials.pending.enc")));
        Assert.False(scene.Status.Pending);
    }

    [Fact]
    public async Task Process_killed_at_any_step_of_the_next_renewal_loses_no_sign_in()
    {
        for (var steps = 0; ; steps++)
        {
            await using var scene = await StartAsync();
            var vault = new MemoryVault();
            var auth = await PendingAsync(scene, vault);
            var token = await auth.Tokens.GetTokenAsync(scene.Server, Cancellation);
            vault.FailsAfter = null;
            var died = await ProcessKill.AfterAsync(steps, () => MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.RenewAsync(scene.Server, default));
            var sent = scene.Issuer.Traffic.OfGrant("refresh_token").Count;
            var now = await MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.GetTokenAsync(scene.Server, Cancellation);
            Assert.True(sent == 1 ? now == token : now != token,
                $"step {steps}: {sent} renewals, and the token is {(now == token ? "the one before" : "another")}");
            Assert.True(scene.Issuer.Server.Introspect(now)?.Active, $"step {steps}");
            await MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.RenewAsync(scene.Server, Cancellation);
            Assert.False(scene.Status.Pending);
            if (!died)
            {
                Assert.True(steps > 8);
                return;
            }
        }
    }

    [Fact]
    public async Task Padding_that_is_too_large_for_the_vault_does_not_break_the_renewal()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault { Name = "limited", MaxLength = 4 * 1024 };
        var auth = MemoryVault.CreateAuthenticator(scene.Work, vault);
        scene.Work.Variables["MCPSM_VAULT"] = vault.Name;
        await LoginAsync(scene, auth);
        await auth.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.True(vault.Refused > 0);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Older_reader_of_a_padded_item_ignores_the_padding()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault { FailsWith = ErrorReason.VaultUnavailable };
        var auth = await SignedInAsync(scene, vault);
        scene.Issuer.Faults.Answer("/token", 503, times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.RenewAsync(scene.Server, Cancellation));
        // A failed renewal leaves the padding. Readers ignore it, and the next write removes it.
        var padded = vault.Items[Item];
        Assert.True(padded.Length > 8 * 1024);
        Assert.Equal("padding", JsonNode.Parse(padded)!.AsObject().Last().Key);
        Assert.Equal(await auth.Tokens.GetTokenAsync(scene.Server, Cancellation), (string?)JsonNode.Parse(padded)!["oAuth"]!["accessToken"]);
        await auth.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.DoesNotContain("padding", vault.Items[Item]);
    }

    [Fact]
    public async Task SecretManagement_vault_is_rehearsed_once_per_process()
    {
        var vault = new MemoryVault { Name = $"secretmanagement:{Guid.NewGuid():n}" };
        using var work = new TestEnvironment();
        var found = new VaultSelector(work.Home, [new MemoryVault.Provider(vault)], _ => { }).Find(vault.Name);
        vault.FailsAfter = 0;
        await Assert.ThrowsAsync<McpAuthException>(() => found.RehearseAsync("mcpsm-a", """{"url":"x"}""", Cancellation));
        vault.FailsAfter = null;
        await found.RehearseAsync("mcpsm-a", """{"url":"x"}""", Cancellation);
        Assert.True(vault.Items["mcpsm-a"].Length > 8 * 1024);
        vault.FailsAfter = 0;
        await found.RehearseAsync("mcpsm-a", """{"url":"x"}""", Cancellation);
        await found.RehearseAsync("mcpsm-b", null, Cancellation);
    }

    [Fact]
    public async Task Sign_in_whose_vault_locks_during_the_exchange_is_kept_as_pending()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault { FailsWith = ErrorReason.VaultLocked };
        scene.Work.Variables["MCPSM_VAULT"] = vault.Name;
        var auth = MemoryVault.CreateAuthenticator(scene.Work, vault);
        scene.Issuer.Faults.Before("/token", _ =>
        {
            vault.FailsAfter = 0;
            return Task.CompletedTask;
        });
        await LoginAsync(scene, auth);
        Assert.Contains(scene.Person.Warnings, n => n.Contains("waits in credentials.enc"));
        Assert.True(scene.Status.Pending);
        var token = await MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.GetTokenAsync(scene.Server, Cancellation);
        vault.FailsAfter = null;
        scene.Issuer.Faults.Clear();
        Assert.Equal(token, await MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.GetTokenAsync(scene.Server, Cancellation));
        await MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.False(File.Exists(scene.Work.Home.PathOf("credentials.enc")));
    }

    [Fact]
    public async Task Registration_whose_vault_locks_during_the_request_is_kept_as_pending()
    {
        await using var scene = await StartAsync();
        var vault = new MemoryVault { FailsWith = ErrorReason.VaultLocked };
        scene.Work.Variables["MCPSM_VAULT"] = vault.Name;
        scene.Issuer.Faults.Before("/register", _ =>
        {
            vault.FailsAfter = 0;
            return Task.CompletedTask;
        }, times: 1);
        await LoginAsync(scene, MemoryVault.CreateAuthenticator(scene.Work, vault));
        Assert.Equal(2, (await new EncryptedFileVault(scene.Work.Home).PendingAsync(Cancellation)).Count);
        vault.FailsAfter = null;
        await LoginAsync(scene, MemoryVault.CreateAuthenticator(scene.Work, vault));
        Assert.Single(scene.Issuer.Traffic.To("/register"));
        // The renewal uses the pending client.
        await MemoryVault.CreateAuthenticator(scene.Work, vault).Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Rule(23, 34)]
    [Fact]
    public async Task Session_whose_vault_locks_during_the_renewal_is_kept_as_pending()
    {
        await using var work = await EnterpriseFixture.SignedInAsync(_clock);
        var vault = new MemoryVault { FailsWith = ErrorReason.VaultLocked };
        await MemoryVault.CreateAuthenticator(work.Work, vault).Vaults.MoveToAsync(vault.Name, Cancellation);
        _clock.Advance(TimeSpan.FromHours(2));
        work.Provider.Faults.Before("/token", _ =>
        {
            vault.FailsAfter = 0;
            return Task.CompletedTask;
        }, times: 1);
        var auth = MemoryVault.CreateAuthenticator(work.Work, vault);
        Assert.True(work.Issuers[0].Server.Introspect(await auth.Tokens.GetTokenAsync(work.One, Cancellation))?.Active);
        Assert.Contains(work.Work.Person.Warnings,
            n => n.StartsWith("The session at the identity provider", StringComparison.Ordinal) && n.Contains("waits in credentials.enc"));
        Assert.True(auth.IdentityProviders.List()[0].Pending);
        vault.FailsAfter = null;
        for (var renewals = 1; renewals <= 2; renewals++)
        {
            var token = await MemoryVault.CreateAuthenticator(work.Work, vault).Tokens.GetTokenAsync(work.Two, Cancellation);
            Assert.True(work.Issuers[1].Server.Introspect(token)?.Active);
            Assert.Equal(renewals, work.Provider.Traffic.OfGrant("refresh_token").Count);
            _clock.Advance(TimeSpan.FromHours(2));
        }
        Assert.False(auth.IdentityProviders.List()[0].Pending);
        Assert.DoesNotContain(work.Provider.Server.IssuedTokens, t => t.State == TokenState.Revoked);
    }

    [Rule(23, 34)]
    [Fact]
    public async Task Full_disk_prevents_the_renewal_of_the_session()
    {
        await using var work = await EnterpriseFixture.SignedInAsync(_clock);
        _clock.Advance(TimeSpan.FromHours(2));
        var failed = await ProcessKill.FullDiskAfterAsync(0, () => work.Authenticator.Tokens.GetTokenAsync(work.One, default));
        Assert.Equal(ErrorReason.ConfigurationUnavailable, Assert.IsType<McpAuthException>(failed).Reason);
        Assert.Empty(work.Provider.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Vault_that_cannot_be_written_prevents_the_browser_from_opening()
    {
        await using var scene = await StartAsync();
        // The two calls that succeed are the reads before the sign-in and before the rehearsed write.
        var vault = new MemoryVault { FailsWith = ErrorReason.VaultLocked, FailsAfter = 2 };
        scene.Work.Variables["MCPSM_VAULT"] = vault.Name;
        var e = await Assert.ThrowsAsync<McpAuthException>(() => LoginAsync(scene, MemoryVault.CreateAuthenticator(scene.Work, vault)));
        Assert.Equal(ErrorReason.VaultLocked, e.Reason);
        Assert.DoesNotContain(scene.Issuer.Traffic.Requests, r => r.Path is "/authorize" or "/register");
    }

    private Task<SignInFixture> StartAsync() => SignInFixture.StartAsync(clock: _clock);

    private static async Task<Authenticator> SignedInAsync(SignInFixture scene, MemoryVault vault)
    {
        scene.Work.Variables["MCPSM_VAULT"] = vault.Name;
        var auth = MemoryVault.CreateAuthenticator(scene.Work, vault);
        await LoginAsync(scene, auth);
        return auth;
    }

    /// <summary>Signs in and renews once, so that the new credential is pending because the vault fails.</summary>
    private static async Task<Authenticator> PendingAsync(SignInFixture scene, MemoryVault vault)
    {
        var auth = await SignedInAsync(scene, vault);
        vault.FailsAfter = CallsBeforeKeeping;
        await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.RenewAsync(scene.Server, default));
        vault.FailsAfter = null;
        Assert.True(scene.Status.Pending);
        return auth;
    }

    private static Task LoginAsync(SignInFixture scene, Authenticator auth) =>
        auth.SignIn.SignInAsync(scene.Server, TestEnvironment.SignIn, default);

    private void Expire() => _clock.Advance(TimeSpan.FromHours(2));
}
