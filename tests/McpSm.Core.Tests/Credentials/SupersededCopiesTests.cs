using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
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
        var other = new MemoryVault { FailsWith = reason };
        var auth = MemoryVault.CreateAuthenticator(work, other);
        await auth.Servers.SetTokenAsync(server, "old-token", "memory", Cancellation);
        other.FailsAfter = 0;
        // Another vault is used only if the user names it.
        Assert.Equal(reason, (await Assert.ThrowsAsync<McpAuthException>(() => auth.Servers.SetTokenAsync(server, "new-token", null, Cancellation))).Reason);
        await auth.Servers.SetTokenAsync(server, "new-token", "file", Cancellation);
        Assert.Contains(work.Person.Warnings, n => n.Contains("The credential of 'my-api' stays, unread, in the vault 'memory'. The vault failed."));
        Assert.Equal("file", auth.Status(server).Vault);
        Assert.Equal("new-token", await auth.Tokens.GetTokenAsync(server, Cancellation));
        Assert.DoesNotContain(work.Person.Warnings, n => n.Contains("old-token") || n.Contains("new-token"));

        // The vault is available again: the next move deletes the old copy and keeps the new token.
        other.FailsAfter = null;
        await auth.Vaults.MoveToAsync("file", Cancellation);
        Assert.Empty(other.Items);
        Assert.Empty(new Settings(work.Home).MovingFrom);
        Assert.Equal("new-token", await auth.Tokens.GetTokenAsync(server, Cancellation));
    }

    [Fact]
    public async Task Sign_in_with_another_vault_does_not_need_the_missing_vault()
    {
        await using var scene = await SignInFixture.StartAsync();
        var other = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(scene.Work, other);
        var options = TestEnvironment.SignIn;
        await auth.SignIn.SignInAsync(scene.Server, options with { Vault = "memory" }, Cancellation);
        other.FailsAfter = 0;
        Assert.Equal(ErrorReason.VaultUnavailable,
            (await Assert.ThrowsAsync<McpAuthException>(() => auth.SignIn.SignInAsync(scene.Server, options, Cancellation))).Reason);
        await auth.SignIn.SignInAsync(scene.Server, options with { Vault = "file" }, Cancellation);
        Assert.Equal("file", auth.Status(scene.Server).Vault);
        await auth.Tokens.RenewAsync(scene.Server, Cancellation);
        await auth.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.Equal(AuthState.NotAuthenticated, auth.Status(scene.Server).State);
    }

    [Fact]
    public async Task Provider_sign_in_with_another_vault_does_not_need_the_missing_vault()
    {
        await using var work = await EnterpriseFixture.StartAsync();
        var other = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(work.Work, other);
        var setting = new IdentityProviderSetting(work.Provider.Issuer, EnterpriseFixture.ClientAtProvider, []);
        var options = TestEnvironment.SignIn;
        await auth.IdentityProviders.SetAsync(setting, EnterpriseFixture.ProviderSecret, "memory", Cancellation);
        await auth.IdentityProviders.SignInAsync(work.Provider.Issuer, options, Cancellation);
        Assert.Equal("memory", auth.IdentityProviders.List()[0].Vault);
        other.FailsAfter = 0;
        await Assert.ThrowsAsync<McpAuthException>(() => auth.IdentityProviders.SetAsync(setting, EnterpriseFixture.ProviderSecret, null, Cancellation));
        await auth.IdentityProviders.SetAsync(setting, EnterpriseFixture.ProviderSecret, "file", Cancellation);
        await auth.IdentityProviders.SignInAsync(work.Provider.Issuer, options, Cancellation);
        Assert.Equal(("file", true), (auth.IdentityProviders.List()[0].Vault, auth.IdentityProviders.List()[0].SignedIn));
        await auth.SignIn.SignInAsync(work.One, options, Cancellation);
        Assert.Contains(work.Work.Person.Warnings, n => n.Contains("could not be removed from the vault 'memory'"));
    }

    [Fact]
    public async Task Copy_left_in_the_old_vault_does_not_return_after_sign_out()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        var other = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(work, other);
        await auth.Vaults.UseAsync("memory", Cancellation);
        await auth.Servers.SetTokenAsync(server, "old-token", null, Cancellation);
        await auth.Secrets.SetAsync("a tool's", SecretKind.String, "old secret", null, null, Cancellation);
        // The vault answers one read and then locks.
        other.FailsAfter = 1;
        await auth.Servers.SetTokenAsync(server, "new-token", "file", Cancellation);
        await auth.Secrets.SetAsync("a tool's", SecretKind.String, "new secret", null, "file", Cancellation);
        Assert.Equal(2, work.Person.Warnings.Count(n => n.Contains("could not be removed from the vault 'memory'") && n.Contains("The vault failed.")));
        Assert.Equal(2, other.Items.Count);
        other.FailsAfter = null;
        Assert.Equal(["new-token", "new secret"],
            [await auth.Tokens.GetTokenAsync(server, Cancellation), (await auth.Secrets.GetAsync("a tool's", null, Cancellation))?.Text]);
        await auth.Servers.ClearCredentialsAsync(server, Cancellation);
        await auth.Secrets.RemoveAsync("a tool's", null, Cancellation);
        Assert.Equal(ErrorReason.AuthenticationRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.GetTokenAsync(server, Cancellation))).Reason);
        Assert.Null(await auth.Secrets.GetAsync("a tool's", null, Cancellation));
        Assert.Empty(other.Items);
    }
}
