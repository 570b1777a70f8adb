using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.Core.Vaults.MacOS;
using McpSm.Core.Vaults.Windows;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>The names of the files in <c>locks</c>. Two versions of Mcpsm exclude each other only if the names are equal.</summary>
public sealed class LockFormatTests : IDisposable
{
    private readonly TestEnvironment _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task Write_to_the_catalog_locks_config() => await LocksAsync(() => _work.AddAsync(new Uri("https://a.example/mcp")), "config.lock");

    [Fact]
    public async Task Write_to_the_index_locks_facts() =>
        await LocksAsync(() => new CredentialIndex(_work.Home).WriteAsync("a", _ => new CredentialInfo(), default), "facts.lock");

    [Fact]
    public async Task Write_to_the_settings_locks_settings() =>
        await LocksAsync(() => new Settings(_work.Home).SetVaultAsync("file", default), "settings.lock");

    [Fact]
    public async Task Write_to_the_encrypted_file_locks_vault() =>
        await LocksAsync(() => new EncryptedFileVault(_work.Home).SetAsync("mcpsm-a", "made up", default), "vault.lock");

    [Fact]
    public async Task Change_of_the_npm_token_file_locks_plaintext_tokens()
    {
        GoldenFile.OfCore("npm/oauth-tokens.json").CopyTo(_work.Folder);
        _work.Variables["HOME"] = _work.Folder;
        await LocksAsync(() => NpmTokenFile.Read(_work.Home)[0].RemoveAsync(_work.Home, default), "plaintext-tokens.lock");
    }

    [Fact]
    public async Task Write_of_a_credential_locks_its_server() => await LocksAsync(async () =>
        (await Store.LockAsync(new McpServer { Id = "my-api" }, default)).Dispose(), "server-my-api.lock");

    [Fact]
    public async Task Write_of_a_registration_locks_its_item() => await LocksAsync(async () =>
    {
        await new Settings(_work.Home).SetVaultAsync("file", default);
        await Store.Registrations.RemoveAsync(new McpServer { Id = "my-api" }, "https://issuer.example", default);
    }, "mcpsmclient-ffb55acfff1cbc1b.lock");

    [Fact]
    public async Task Write_of_an_identity_session_locks_its_item() => await LocksAsync(async () =>
    {
        var sessions = new IdentitySessionStore(_work.Home, Store.Index, Vaults);
        (await sessions.LockAsync("https://login.example/idp", default)).Dispose();
    }, "mcpsmidp-d168fcd02265184e.lock");

    [Fact]
    public async Task Write_of_a_named_secret_locks_its_item()
    {
        await new Settings(_work.Home).SetVaultAsync("file", Cancellation);
        await LocksAsync(() => _work.Authenticator.Secrets.SetAsync("Made-up Name", SecretKind.String, "made up", null, null, default),
            "mcpsmsecret-6d3c6b7b0b72f43ecc9b1410ed669836.lock");
    }

    [Fact]
    public async Task Write_to_the_Keychain_locks_its_vault() =>
        await LocksAsync(() => new KeychainVault(_work.Home, new MemoryKeychain()).SetAsync("mcpsm-a", "made up", default), "vault-keychain.lock");

    [Fact]
    public async Task Write_to_the_Credential_Manager_locks_its_vault() =>
        await LocksAsync(() => new CredentialManagerVault(_work.Home, new MemoryCredentials()).RemoveAsync("mcpsm-a", default),
            "vault-credential-manager.lock");

    private VaultSelector Vaults => new(_work.Home, [], _ => { });

    private CredentialStore Store => new(_work.Home, Vaults);

    /// <summary>Requires that the action creates a lock of that name.</summary>
    private async Task LocksAsync(Func<Task> action, string name)
    {
        await action();
        Assert.Contains(name, Directory.EnumerateFiles(Path.Combine(_work.Folder, "locks")).Select(Path.GetFileName));
    }
}
