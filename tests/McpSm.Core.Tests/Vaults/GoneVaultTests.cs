using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

/// <summary>Credentials in a missing vault can be ended, and do not return when the vault does.</summary>
public sealed class GoneVaultTests
{
    public static TheoryData<ErrorReason> Gone => [ErrorReason.VaultUnavailable, ErrorReason.SecretManagementMissing];

    [Theory]
    [MemberData(nameof(Gone))]
    public async Task Server_whose_vault_is_missing_is_removed_with_a_warning(ErrorReason reason)
    {
        using var work = new TestEnvironment();
        var (auth, vault, server) = await StartAsync(work, reason);
        vault.FailsAfter = 0;
        await auth.Servers.RemoveAsync(server, Cancellation);
        Assert.Empty(auth.Catalog.List());
        RequireWarning(work, vault, server);

        vault.FailsAfter = null;
        var again = await work.AddAsync(new Uri(server.Url));
        var other = MemoryVault.CreateAuthenticator(work, vault);
        await other.Vaults.UseAsync("memory", Cancellation);
        await Assert.ThrowsAsync<McpAuthException>(() => other.Tokens.GetTokenAsync(again, Cancellation));
        Assert.DoesNotContain("mcpsm-my-api", vault.Items.Keys);
    }

    [Theory]
    [MemberData(nameof(Gone))]
    public async Task Token_whose_vault_is_missing_is_cleared_and_can_be_replaced(ErrorReason reason)
    {
        using var work = new TestEnvironment();
        var (auth, vault, server) = await StartAsync(work, reason);
        vault.FailsAfter = 0;
        await auth.Servers.ClearCredentialsAsync(server, Cancellation);
        Assert.Equal(CredentialKind.None, auth.Status(server).Kind);
        RequireWarning(work, vault, server);
        await auth.Servers.SetTokenAsync(server, "another", "file", Cancellation);
        Assert.Equal("another", await auth.Tokens.GetTokenAsync(server, Cancellation));
    }

    [Fact]
    public async Task Sign_out_of_a_credential_in_a_missing_vault_names_what_stays()
    {
        await using var scene = await SignInFixture.StartAsync();
        var vault = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(scene.Work, vault);
        await auth.Vaults.UseAsync("memory", Cancellation);
        await auth.SignIn.SignInAsync(scene.Server, TestEnvironment.SignIn, Cancellation);
        vault.FailsAfter = 0;
        var ended = await auth.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.True(ended.HadOAuth);
        Assert.Equal(AuthState.NotAuthenticated, auth.Status(scene.Server).State);
        RequireWarning(scene.Work, vault, scene.Server);
        await auth.Servers.RemoveAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Registration_in_a_missing_vault_is_forgotten()
    {
        await using var scene = await SignInFixture.StartAsync();
        var vault = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(scene.Work, vault);
        await auth.Vaults.UseAsync("memory", Cancellation);
        await auth.SignIn.SignInAsync(scene.Server, TestEnvironment.SignIn, Cancellation);
        vault.FailsAfter = 0;
        await auth.Registrations.RemoveAsync(scene.Server, Cancellation);
        Assert.Contains(scene.Person.Warnings,
            n => n.Contains("the registration with", StringComparison.Ordinal) && n.Contains("memory", StringComparison.Ordinal));
        Assert.Empty(auth.Registrations.VaultsOf(scene.Server));
    }

    [Fact]
    public async Task Move_from_a_missing_vault_names_what_stays_and_can_be_finished_later()
    {
        using var work = new TestEnvironment();
        var (auth, vault, server) = await StartAsync(work, ErrorReason.VaultUnavailable);
        vault.FailsAfter = 0;
        Assert.Equal(0, await auth.Vaults.MoveToAsync("file", Cancellation));
        RequireWarning(work, vault, server);
        Assert.Equal(AuthState.NotAuthenticated, auth.Status(server).State);
        Assert.Equal(["memory"], new Settings(work.Home).MovingFrom);

        vault.FailsAfter = null;
        Assert.Equal(1, await auth.Vaults.MoveToAsync("file", Cancellation));
        Assert.Equal("kept", await auth.Tokens.GetTokenAsync(server, Cancellation));
        Assert.Empty(vault.Items);
        Assert.Empty(new Settings(work.Home).MovingFrom);
    }

    [Theory]
    [MemberData(nameof(Gone))]
    public async Task Secret_whose_vault_is_missing_is_removed_with_a_warning(ErrorReason reason)
    {
        using var work = new TestEnvironment();
        var (auth, vault, _) = await StartAsync(work, reason);
        await auth.Secrets.SetAsync("a tool's", SecretKind.String, "kept", null, null, Cancellation);
        var item = Assert.Single(vault.Items.Keys, k => k.StartsWith(NamedSecretStore.ItemPrefix, StringComparison.Ordinal));
        vault.FailsAfter = 0;
        await auth.Secrets.RemoveAsync("a tool's", null, Cancellation);
        var warning = Assert.Single(work.Person.Warnings, n => n.Contains("'memory'", StringComparison.Ordinal));
        Assert.Equal($"The item '{item}' of the secret 'a tool's' stays in the vault 'memory'. The vault failed.", warning);
        Assert.Equal(ErrorReason.SecretNotFound,
            (await Assert.ThrowsAsync<McpAuthException>(() => auth.Secrets.RemoveAsync("a tool's", "file", Cancellation))).Reason);

        vault.FailsAfter = null;
        Assert.Contains(item, vault.Items.Keys);
        Assert.Empty(await auth.Secrets.ListSecretsAsync(_ => true, null, Cancellation));
        Assert.DoesNotContain(item, vault.Items.Keys);
        Assert.Null(await auth.Secrets.GetAsync("a tool's", null, Cancellation));
        await auth.Secrets.SetAsync("a tool's", SecretKind.String, "another", null, null, Cancellation);
        Assert.Equal("another", (await auth.Secrets.GetAsync("a tool's", null, Cancellation))?.Text);
    }

    [Fact]
    public async Task Secret_removed_while_its_vault_was_missing_does_not_return()
    {
        using var work = new TestEnvironment();
        var (auth, vault, _) = await StartAsync(work, ErrorReason.VaultUnavailable);
        await auth.Secrets.SetAsync("a tool's", SecretKind.String, "kept", null, null, Cancellation);
        vault.FailsAfter = 0;
        await auth.Secrets.RemoveAsync("a tool's", null, Cancellation);
        vault.FailsAfter = null;
        Assert.Null(await auth.Secrets.GetAsync("a tool's", null, Cancellation));
        Assert.DoesNotContain(vault.Items.Keys, k => k.StartsWith(NamedSecretStore.ItemPrefix, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Secret_of_an_unknown_vault_is_removed()
    {
        using var work = new TestEnvironment();
        var (auth, _, _) = await StartAsync(work, ErrorReason.VaultUnavailable);
        await auth.Secrets.SetAsync("a tool's", SecretKind.String, "kept", null, null, Cancellation);
        // Another process, which does not know the vault.
        var other = work.New();
        await other.Secrets.RemoveAsync("a tool's", null, Cancellation);
        Assert.Contains(work.Person.Warnings, n => n.Contains("'a tool's' stays in the vault 'memory'", StringComparison.Ordinal));
        work.Variables["MCPSM_VAULT"] = "file";
        Assert.Null(await work.New().Secrets.GetAsync("a tool's", null, Cancellation));
    }

    [Fact]
    public async Task Locked_vault_prevents_removal_and_move()
    {
        using var work = new TestEnvironment();
        var (auth, vault, server) = await StartAsync(work, ErrorReason.VaultLocked);
        await auth.Secrets.SetAsync("a tool's", SecretKind.String, "kept", null, null, Cancellation);
        vault.FailsAfter = 0;
        Func<Task>[] all =
        [
            () => auth.Servers.RemoveAsync(server, default),
            () => auth.Servers.ClearCredentialsAsync(server, default),
            () => auth.Vaults.MoveToAsync("file", default),
            () => auth.Secrets.RemoveAsync("a tool's", null, default),
        ];
        foreach (var one in all)
        {
            Assert.Equal(ErrorReason.VaultLocked, (await Assert.ThrowsAsync<McpAuthException>(one)).Reason);
        }
        vault.FailsAfter = null;
        Assert.Equal("kept", (await auth.Secrets.GetAsync("a tool's", null, Cancellation))?.Text);
        Assert.Equal("kept", await auth.Tokens.GetTokenAsync(auth.Catalog.Get(server.Id), Cancellation));
    }

    [Fact]
    public async Task Move_that_fails_before_the_first_item_is_not_mentioned_later()
    {
        using var work = new TestEnvironment();
        var (auth, vault, _) = await StartAsync(work, ErrorReason.VaultUnavailable);
        await auth.Vaults.UseAsync("file", Cancellation);
        await auth.Vaults.MoveToAsync("file", Cancellation);
        vault.ForgetsWrites = true;
        await Assert.ThrowsAsync<McpAuthException>(() => auth.Vaults.MoveToAsync("memory", Cancellation));
        work.Person.Warnings.Clear();
        await auth.Vaults.UseAsync("file", Cancellation);
        Assert.Empty(work.Person.Warnings);
    }

    [Fact]
    public async Task Unresponsive_vault_is_not_treated_as_missing()
    {
        using var work = new TestEnvironment();
        var (auth, vault, server) = await StartAsync(work, ErrorReason.VaultUnavailable, isOnlyOutOfReach: true);
        vault.FailsAfter = 0;
        Func<Task>[] endings =
        [
            () => auth.Servers.RemoveAsync(server, default),
            () => auth.Servers.ClearCredentialsAsync(server, default),
            () => auth.Vaults.MoveToAsync("file", default),
        ];
        foreach (var end in endings)
        {
            Assert.Equal(ErrorReason.VaultUnavailable, (await Assert.ThrowsAsync<McpAuthException>(end)).Reason);
        }
        vault.FailsAfter = null;
        Assert.Equal("kept", await auth.Tokens.GetTokenAsync(auth.Catalog.Get(server.Id), Cancellation));
    }

    private static async Task<(Authenticator Auth, MemoryVault Vault, McpServer Server)> StartAsync(TestEnvironment work, ErrorReason reason,
        bool isOnlyOutOfReach = false)
    {
        var vault = new MemoryVault { FailsWith = reason, IsOnlyOutOfReach = isOnlyOutOfReach };
        var auth = MemoryVault.CreateAuthenticator(work, vault);
        await auth.Vaults.UseAsync("memory", default);
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        await auth.Servers.SetTokenAsync(server, "kept", null, default);
        return (auth, vault, server);
    }

    private static void RequireWarning(TestEnvironment work, MemoryVault vault, McpServer server) =>
        Assert.Contains(work.Person.Warnings,
            n => n.Contains($"'{vault.Name}'", StringComparison.Ordinal) && n.Contains($"mcpsm-{server.Id}", StringComparison.Ordinal));
}
