using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.Core.Vaults.Linux;
using McpSm.Core.Vaults.MacOS;
using McpSm.Core.Vaults.Windows;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>Names by which versions of Mcpsm find each other's data and exclude each other.</summary>
public sealed class NameFormatTests : IDisposable
{
    private readonly TestEnvironment _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void Item_of_a_server_is_named_by_its_id() => Assert.Equal("mcpsm-my-api", CredentialStore.ItemName(new McpServer { Id = "my-api" }));

    [Fact]
    public void Item_of_a_registration_is_named_by_the_hash_of_the_issuer() =>
        Assert.Equal("mcpsmclient-ffb55acfff1cbc1b", CredentialStore.ClientItemName("https://issuer.example"));

    [Fact]
    public void Item_of_an_identity_provider_is_named_by_the_hash_of_its_issuer() =>
        Assert.Equal("mcpsmidp-d168fcd02265184e", IdentitySessionStore.ItemName("https://login.example/idp"));

    [Theory]
    [InlineData("Made-up Name")]
    [InlineData("MADE-UP NAME")]
    public async Task Item_of_a_named_secret_is_named_by_the_hash_of_its_upper_case(string name)
    {
        var vault = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(_work, vault);
        await new Settings(_work.Home).SetVaultAsync("memory", Cancellation);
        await auth.Secrets.SetAsync(name, SecretKind.String, "made up", null, null, Cancellation);
        Assert.Equal(["mcpsmsecret-6d3c6b7b0b72f43ecc9b1410ed669836"], vault.Items.Keys);
    }

    [Fact]
    public async Task Item_of_the_self_test_has_eight_random_digits()
    {
        var vault = new MemoryVault();
        await VaultSelfTest.RunAsync(vault, Cancellation);
        Assert.Matches("^mcpsmcheck-[0-9a-f]{8}$", Assert.Single(vault.Written));
    }

    [Theory]
    [InlineData("mcpsm-a", false, false, false)]
    [InlineData("mcpsmclient-a", true, false, false)]
    [InlineData("mcpsmidp-a", false, true, false)]
    [InlineData("mcpsmsecret-a", false, false, true)]
    [InlineData("mcpsmpending-a", false, false, false)]
    public void Kind_of_an_item_follows_from_its_prefix(string item, bool isClient, bool isIdentity, bool isSecret) =>
        Assert.Equal((isClient, isIdentity, isSecret), (CredentialStore.IsClientItem(item), IdentitySessionStore.IsItem(item), NamedSecretStore.IsItem(item)));

    [Fact]
    public void Vault_names_have_fixed_values()
    {
        Assert.Equal("file", EncryptedFileVault.VaultName);
        Assert.Equal("secret-service", SecretServiceName);
        Assert.Equal("credential-manager", CredentialManagerVault.VaultName);
        Assert.Equal("keychain", KeychainVault.VaultName);
        Assert.Equal("secretmanagement:", VaultSelector.SecretManagementPrefix);
    }

    [Fact]
    public void Padding_is_a_last_member_of_8192_zeros()
    {
        var padded = $"{{\"url\":\"a\",\"padding\":\"{new string('0', 8192)}\"}}";
        Assert.Equal(padded, VaultItemPadding.Add("""{"url":"a"}"""));
        Assert.Equal("""{"url":"a"}""", VaultItemPadding.Remove(padded));
    }

    /// <summary>The first 32 digits of an HMAC-SHA-256 of the request, with the refresh token as the key.</summary>
    [Fact]
    public void Mark_of_a_refused_renewal_is_fixed() =>
        Assert.Equal("53757313e284eed3490585258ff4d6a3",
            RefusedRenewal.FingerprintOf("made-up-refresh-token", "made-up-client", null, "https://issuer.example"));

    [Fact]
    public void Issuer_of_an_assertion_is_recorded_by_its_source()
    {
        var oauth = SampleCredentials.WorkloadItem.OAuth!;
        Assert.Equal(new Dictionary<string, string> { ["file:/made/up"] = "https://issuer.example" },
            new ServerSecrets { Url = "" }.With(oauth with { Assertion = new WorkloadAssertionSource { File = "/made/up" } }).ClientIssuers);
        Assert.Equal(new Dictionary<string, string> { ["env:MADE_UP"] = "https://issuer.example" },
            new ServerSecrets { Url = "" }.With(oauth with { Assertion = new WorkloadAssertionSource { Variable = "MADE_UP" } }).ClientIssuers);
    }

    private static string SecretServiceName => OperatingSystem.IsLinux() ? SecretServiceVault.VaultName : "secret-service";
}
