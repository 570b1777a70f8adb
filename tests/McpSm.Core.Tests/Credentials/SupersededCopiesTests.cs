using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>A vault that can no longer be opened, and the copies that another vault holds instead.</summary>
public sealed class SupersededCopiesTests
{
    [Theory]
    [InlineData(ErrorReason.VaultUnavailable)]
    [InlineData(ErrorReason.VaultLocked)]
    [InlineData(ErrorReason.SecretManagementMissing)]
    public async Task Token_set_in_another_vault_is_kept_there_with_a_notice_about_the_old_one(ErrorReason reason)
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        var other = new MemoryVault { DiesOf = reason };
        var door = MemoryVault.Door(work, other);
        await door.Servers.SetTokenAsync(server, "old-token", "memory", Cancellation);
        other.DiesAfter = 0;
        // Another vault is used only if the user names it.
        Assert.Equal(reason, (await Assert.ThrowsAsync<McpAuthException>(() => door.Servers.SetTokenAsync(server, "new-token", null, Cancellation))).Reason);
        await door.Servers.SetTokenAsync(server, "new-token", "file", Cancellation);
        Assert.Contains(work.Person.Warnings, n => n.Contains("The credential of 'my-api' stays, unread, in the vault 'memory'. It died."));
        Assert.Equal("file", door.Status(server).Vault);
        Assert.Equal("new-token", await door.Tokens.GetTokenAsync(server, Cancellation));
        Assert.DoesNotContain(work.Person.Warnings, n => n.Contains("old-token") || n.Contains("new-token"));

        // The vault is available again: the next move deletes the old copy and keeps the new token.
        other.DiesAfter = null;
        await door.Vaults.MoveToAsync("file", Cancellation);
        Assert.Empty(other.Items);
        Assert.Empty(new Settings(work.Home).MovingFrom);
        Assert.Equal("new-token", await door.Tokens.GetTokenAsync(server, Cancellation));
    }

    [Fact]
    public async Task Sign_in_with_another_vault_does_not_need_the_missing_vault()
    {
        await using var scene = await SignInFixture.StartAsync();
        var other = new MemoryVault();
        var door = MemoryVault.Door(scene.Work, other);
        var options = new SignInOptions { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) };
        await door.SignIn.SignInAsync(scene.Server, options with { Vault = "memory" }, Cancellation);
        other.DiesAfter = 0;
        Assert.Equal(ErrorReason.VaultUnavailable, (await Assert.ThrowsAsync<McpAuthException>(() => door.SignIn.SignInAsync(scene.Server, options, Cancellation))).Reason);
        await door.SignIn.SignInAsync(scene.Server, options with { Vault = "file" }, Cancellation);
        Assert.Equal("file", door.Status(scene.Server).Vault);
        await door.Tokens.RenewAsync(scene.Server, Cancellation);
        await door.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.Equal(AuthState.NotAuthenticated, door.Status(scene.Server).State);
    }

    [Fact]
    public async Task Provider_sign_in_with_another_vault_does_not_need_the_missing_vault()
    {
        await using var work = await EnterpriseFixture.StartAsync();
        var other = new MemoryVault();
        var door = MemoryVault.Door(work.Work, other);
        var setting = new IdentityProviderSetting(work.Provider.Issuer, EnterpriseFixture.ClientAtProvider, []);
        var options = new SignInOptions { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) };
        await door.IdentityProviders.SetAsync(setting, EnterpriseFixture.ProviderSecret, "memory", Cancellation);
        await door.IdentityProviders.SignInAsync(work.Provider.Issuer, options, Cancellation);
        Assert.Equal("memory", door.IdentityProviders.List()[0].Vault);
        other.DiesAfter = 0;
        await Assert.ThrowsAsync<McpAuthException>(() => door.IdentityProviders.SetAsync(setting, EnterpriseFixture.ProviderSecret, null, Cancellation));
        await door.IdentityProviders.SetAsync(setting, EnterpriseFixture.ProviderSecret, "file", Cancellation);
        await door.IdentityProviders.SignInAsync(work.Provider.Issuer, options, Cancellation);
        Assert.Equal(("file", true), (door.IdentityProviders.List()[0].Vault, door.IdentityProviders.List()[0].SignedIn));
        await door.SignIn.SignInAsync(work.One, options, Cancellation);
        Assert.Contains(work.Work.Person.Warnings, n => n.Contains("could not be removed from the vault 'memory'"));
    }

    [Fact]
    public async Task Copy_left_in_the_old_vault_does_not_return_after_sign_out()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        var other = new MemoryVault();
        var door = MemoryVault.Door(work, other);
        await door.Vaults.UseAsync("memory", Cancellation);
        await door.Servers.SetTokenAsync(server, "old-token", null, Cancellation);
        await door.Secrets.SetAsync("a tool's", SecretKind.String, "old secret", null, null, Cancellation);
        // The vault answers one read and then locks.
        other.DiesAfter = 1;
        await door.Servers.SetTokenAsync(server, "new-token", "file", Cancellation);
        await door.Secrets.SetAsync("a tool's", SecretKind.String, "new secret", null, "file", Cancellation);
        Assert.Equal(2, work.Person.Warnings.Count(n => n.Contains("could not be removed from the vault 'memory'") && n.Contains("It died.")));
        Assert.Equal(2, other.Items.Count);
        other.DiesAfter = null;
        Assert.Equal(["new-token", "new secret"], [await door.Tokens.GetTokenAsync(server, Cancellation), (await door.Secrets.GetAsync("a tool's", null, Cancellation))?.Text]);
        await door.Servers.ClearCredentialsAsync(server, Cancellation);
        await door.Secrets.RemoveAsync("a tool's", null, Cancellation);
        Assert.Equal(ErrorReason.AuthenticationRequired, (await Assert.ThrowsAsync<McpAuthException>(() => door.Tokens.GetTokenAsync(server, Cancellation))).Reason);
        Assert.Null(await door.Secrets.GetAsync("a tool's", null, Cancellation));
        Assert.Empty(other.Items);
    }
}
