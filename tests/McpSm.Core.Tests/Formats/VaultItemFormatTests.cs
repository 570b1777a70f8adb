using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using McpSm.Core.Credentials;
using McpSm.Core.Entra;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>The texts of the items that every vault stores.</summary>
public sealed class VaultItemFormatTests
{
    [Fact]
    public void OAuth_item_is_written_and_read_as_in_the_golden_file() =>
        Check("server-oauth.json", SampleCredentials.OAuthItem, CredentialJson.Default.ServerSecrets);

    [Fact]
    public void Bearer_item_is_written_and_read_as_in_the_golden_file() =>
        Check("server-bearer.json", SampleCredentials.BearerItem, CredentialJson.Default.ServerSecrets);

    [Fact]
    public void Item_of_a_client_is_written_and_read_as_in_the_golden_file() =>
        Check("server-client.json", SampleCredentials.ClientItem, CredentialJson.Default.ServerSecrets);

    [Fact]
    public void Item_of_a_workload_is_written_and_read_as_in_the_golden_file() =>
        Check("server-workload.json", SampleCredentials.WorkloadItem, CredentialJson.Default.ServerSecrets);

    [Fact]
    public void Registration_is_written_and_read_as_in_the_golden_file() =>
        Check("registration.json", SampleCredentials.Registration, CredentialJson.Default.ClientRegistration);

    [Fact]
    public void Registration_with_a_candidate_is_written_and_read_as_in_the_golden_file() => Check("registration-with-candidate.json",
        SampleCredentials.Registration with { Candidate = SampleCredentials.Registration with { Ports = [9000] } }, CredentialJson.Default.ClientRegistration);

    [Fact]
    public void Identity_session_is_written_and_read_as_in_the_golden_file() =>
        Check("identity.json", SampleCredentials.Identity, CredentialJson.Default.IdentityProviderSecrets);

    [Fact]
    public void Named_secret_is_written_and_read_as_in_the_golden_file() =>
        Check("named-secret.json", SampleCredentials.Secret, CredentialJson.Default.NamedSecret);

    [Fact]
    public void Named_text_is_written_and_read_as_in_the_golden_file() =>
        Check("named-text.json", SampleCredentials.TextSecret, CredentialJson.Default.NamedSecret);

    [Fact]
    public void Pending_item_is_written_and_read_as_in_the_golden_file() =>
        Check("pending.json", SampleCredentials.Pending, VaultJsonContext.Default.PendingItem);

    /// <summary>For Microsoft Entra ID, the cache of its library in base64 takes the place of a refresh token.</summary>
    [Fact]
    public void Cache_of_the_Entra_library_is_base64_of_its_json() =>
        Assert.Equal(["made-up-refresh-token"], new MsalTokenCache("eyJSZWZyZXNoVG9rZW4iOnsiayI6eyJzZWNyZXQiOiJtYWRlLXVwLXJlZnJlc2gtdG9rZW4ifX19").Secrets());

    private static void Check<T>(string name, T sample, JsonTypeInfo<T> type)
    {
        var golden = GoldenFile.OfCore("items/" + name);
        golden.RequireEqual(JsonSerializer.SerializeToUtf8Bytes(sample, type));
        var read = JsonSerializer.Deserialize(golden.Bytes, type)!;
        Assert.Equivalent(sample, read, strict: true);
        golden.RequireEqual(JsonSerializer.SerializeToUtf8Bytes(read, type));
    }
}
