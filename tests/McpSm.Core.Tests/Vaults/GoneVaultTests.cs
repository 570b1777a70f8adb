using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
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
        var (door, vault, server) = await StartAsync(work, reason);
        vault.DiesAfter = 0;
        await door.Servers.RemoveAsync(server, Cancellation);
        Assert.Empty(door.Catalog.List());
        Told(work, vault, server);

        vault.DiesAfter = null;
        var again = await work.AddAsync(new Uri(server.Url));
        var other = MemoryVault.Door(work, vault);
        await other.Vaults.UseAsync("memory", Cancellation);
        await Assert.ThrowsAsync<McpAuthException>(() => other.Tokens.GetTokenAsync(again, Cancellation));
        Assert.DoesNotContain("mcpsm-my-api", vault.Items.Keys);
    }

    [Theory]
    [MemberData(nameof(Gone))]
    public async Task Token_whose_vault_is_missing_is_cleared_and_can_be_replaced(ErrorReason reason)
    {
        using var work = new TestEnvironment();
        var (door, vault, server) = await StartAsync(work, reason);
        vault.DiesAfter = 0;
        await door.Servers.ClearCredentialsAsync(server, Cancellation);
        Assert.Equal(CredentialKind.None, door.Status(server).Kind);
        Told(work, vault, server);
        await door.Servers.SetTokenAsync(server, "another", "file", Cancellation);
        Assert.Equal("another", await door.Tokens.GetTokenAsync(server, Cancellation));
    }

    [Fact]
    public async Task Sign_out_of_a_credential_in_a_missing_vault_names_what_stays()
    {
        await using var scene = await SignInFixture.StartAsync();
        var vault = new MemoryVault();
        var door = MemoryVault.Door(scene.Work, vault);
        await door.Vaults.UseAsync("memory", Cancellation);
        await door.SignIn.SignInAsync(scene.Server, new SignInOptions { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) }, Cancellation);
        vault.DiesAfter = 0;
        var ended = await door.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.True(ended.HadOAuth);
        Assert.Equal(AuthState.NotAuthenticated, door.Status(scene.Server).State);
        Told(scene.Work, vault, scene.Server);
        await door.Servers.RemoveAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Registration_in_a_missing_vault_is_forgotten()
    {
        await using var scene = await SignInFixture.StartAsync();
        var vault = new MemoryVault();
        var door = MemoryVault.Door(scene.Work, vault);
        await door.Vaults.UseAsync("memory", Cancellation);
        await door.SignIn.SignInAsync(scene.Server, new SignInOptions { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) }, Cancellation);
        vault.DiesAfter = 0;
        await door.Registrations.RemoveAsync(scene.Server, Cancellation);
        Assert.Contains(scene.Person.Warnings, n => n.Contains("the registration with", StringComparison.Ordinal) && n.Contains("memory", StringComparison.Ordinal));
        Assert.Empty(door.Registrations.VaultsOf(scene.Server));
    }

    [Fact]
    public async Task Move_from_a_missing_vault_names_what_stays_and_can_be_finished_later()
    {
        using var work = new TestEnvironment();
        var (door, vault, server) = await StartAsync(work, ErrorReason.VaultUnavailable);
        vault.DiesAfter = 0;
        Assert.Equal(0, await door.Vaults.MoveToAsync("file", Cancellation));
        Told(work, vault, server);
        Assert.Equal(AuthState.NotAuthenticated, door.Status(server).State);
        Assert.Equal(["memory"], new Settings(work.Home).MovingFrom);

        vault.DiesAfter = null;
        Assert.Equal(1, await door.Vaults.MoveToAsync("file", Cancellation));
        Assert.Equal("kept", await door.Tokens.GetTokenAsync(server, Cancellation));
        Assert.Empty(vault.Items);
        Assert.Empty(new Settings(work.Home).MovingFrom);
    }

    [Theory]
    [MemberData(nameof(Gone))]
    public async Task Secret_whose_vault_is_missing_is_removed_with_a_warning(ErrorReason reason)
    {
        using var work = new TestEnvironment();
        var (door, vault, _) = await StartAsync(work, reason);
        await door.Secrets.SetAsync("a tool's", SecretKind.String, "kept", null, null, Cancellation);
        var item = Assert.Single(vault.Items.Keys, k => k.StartsWith(NamedSecretStore.ItemPrefix, StringComparison.Ordinal));
        vault.DiesAfter = 0;
        await door.Secrets.RemoveAsync("a tool's", null, Cancellation);
        var told = Assert.Single(work.Person.Warnings, n => n.Contains("'memory'", StringComparison.Ordinal));
        Assert.Equal($"The item '{item}' of the secret 'a tool's' stays in the vault 'memory'. It died.", told);
        Assert.Equal(ErrorReason.SecretNotFound,
            (await Assert.ThrowsAsync<McpAuthException>(() => door.Secrets.RemoveAsync("a tool's", "file", Cancellation))).Reason);

        vault.DiesAfter = null;
        Assert.Contains(item, vault.Items.Keys);
        Assert.Empty(await door.Secrets.ListSecretsAsync(_ => true, null, Cancellation));
        Assert.DoesNotContain(item, vault.Items.Keys);
        Assert.Null(await door.Secrets.GetAsync("a tool's", null, Cancellation));
        await door.Secrets.SetAsync("a tool's", SecretKind.String, "another", null, null, Cancellation);
        Assert.Equal("another", (await door.Secrets.GetAsync("a tool's", null, Cancellation))?.Text);
    }

    [Fact]
    public async Task Secret_removed_while_its_vault_was_missing_does_not_return()
    {
        using var work = new TestEnvironment();
        var (door, vault, _) = await StartAsync(work, ErrorReason.VaultUnavailable);
        await door.Secrets.SetAsync("a tool's", SecretKind.String, "kept", null, null, Cancellation);
        vault.DiesAfter = 0;
        await door.Secrets.RemoveAsync("a tool's", null, Cancellation);
        vault.DiesAfter = null;
        Assert.Null(await door.Secrets.GetAsync("a tool's", null, Cancellation));
        Assert.DoesNotContain(vault.Items.Keys, k => k.StartsWith(NamedSecretStore.ItemPrefix, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Secret_of_an_unknown_vault_is_removed()
    {
        using var work = new TestEnvironment();
        var (door, _, _) = await StartAsync(work, ErrorReason.VaultUnavailable);
        await door.Secrets.SetAsync("a tool's", SecretKind.String, "kept", null, null, Cancellation);
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
        var (door, vault, server) = await StartAsync(work, ErrorReason.VaultLocked);
        await door.Secrets.SetAsync("a tool's", SecretKind.String, "kept", null, null, Cancellation);
        vault.DiesAfter = 0;
        Func<Task>[] all =
        [
            () => door.Servers.RemoveAsync(server, default), () => door.Servers.ClearCredentialsAsync(server, default), () => door.Vaults.MoveToAsync("file", default),
            () => door.Secrets.RemoveAsync("a tool's", null, default),
        ];
        foreach (var one in all)
        {
            Assert.Equal(ErrorReason.VaultLocked, (await Assert.ThrowsAsync<McpAuthException>(one)).Reason);
        }
        vault.DiesAfter = null;
        Assert.Equal("kept", (await door.Secrets.GetAsync("a tool's", null, Cancellation))?.Text);
        Assert.Equal("kept", await door.Tokens.GetTokenAsync(door.Catalog.Get(server.Id), Cancellation));
    }

    [Fact]
    public async Task Move_that_fails_before_the_first_item_is_not_mentioned_later()
    {
        using var work = new TestEnvironment();
        var (door, vault, _) = await StartAsync(work, ErrorReason.VaultUnavailable);
        await door.Vaults.UseAsync("file", Cancellation);
        await door.Vaults.MoveToAsync("file", Cancellation);
        vault.Forgets = true;
        await Assert.ThrowsAsync<McpAuthException>(() => door.Vaults.MoveToAsync("memory", Cancellation));
        work.Person.Warnings.Clear();
        await door.Vaults.UseAsync("file", Cancellation);
        Assert.Empty(work.Person.Warnings);
    }

    [Fact]
    public async Task Unresponsive_vault_is_not_treated_as_missing()
    {
        using var work = new TestEnvironment();
        var (door, vault, server) = await StartAsync(work, ErrorReason.VaultUnavailable, isOnlyOutOfReach: true);
        vault.DiesAfter = 0;
        foreach (var end in new Func<Task>[] { () => door.Servers.RemoveAsync(server, default), () => door.Servers.ClearCredentialsAsync(server, default), () => door.Vaults.MoveToAsync("file", default) })
        {
            Assert.Equal(ErrorReason.VaultUnavailable, (await Assert.ThrowsAsync<McpAuthException>(end)).Reason);
        }
        vault.DiesAfter = null;
        Assert.Equal("kept", await door.Tokens.GetTokenAsync(door.Catalog.Get(server.Id), Cancellation));
    }

    private static async Task<(Authenticator Door, MemoryVault Vault, McpServer Server)> StartAsync(TestEnvironment work, ErrorReason reason,
        bool isOnlyOutOfReach = false)
    {
        var vault = new MemoryVault { DiesOf = reason, IsOnlyOutOfReach = isOnlyOutOfReach };
        var door = MemoryVault.Door(work, vault);
        await door.Vaults.UseAsync("memory", default);
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        await door.Servers.SetTokenAsync(server, "kept", null, default);
        return (door, vault, server);
    }

    private static void Told(TestEnvironment work, MemoryVault vault, McpServer server) =>
        Assert.Contains(work.Person.Warnings, n => n.Contains($"'{vault.Name}'", StringComparison.Ordinal) && n.Contains($"mcpsm-{server.Id}", StringComparison.Ordinal));
}
