using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary><c>credentials.enc</c>, <c>credentials.pending.enc</c> and <c>credentials.key</c>.</summary>
public sealed class EncryptedFileFormatTests : IDisposable
{
    private const string Passphrase = "made-up passphrase";

    private readonly TestEnvironment _work = new();

    /// <summary>Each item of the golden files, with the golden file of its text.</summary>
    private static readonly Dictionary<string, string> Items = new()
    {
        ["mcpsm-all-fields"] = "items/server-oauth.json",
        ["mcpsm-bearer"] = "items/server-bearer.json",
        ["mcpsm-expired"] = "items/server-client.json",
        ["mcpsm-unknown"] = "items/server-workload.json",
        ["mcpsmclient-ffb55acfff1cbc1b"] = "items/registration.json",
        ["mcpsmidp-d168fcd02265184e"] = "items/identity.json",
        ["mcpsmsecret-6d3c6b7b0b72f43ecc9b1410ed669836"] = "items/named-secret.json",
        ["mcpsmsecret-eaef910e2382a6cc1e475b6d883d2bfc"] = "items/named-text.json",
    };

    /// <summary>The item that is pending for another vault, named by the first 16 digits of SHA-256("secret-service").</summary>
    private const string PendingForKeyring = "mcpsmpending-7180fde77cc8684d-mcpsm-bearer";

    /// <summary>The item that is pending for the file vault itself, named by the first 16 digits of SHA-256("file").</summary>
    private const string PendingForFile = "mcpsmpending-3b9c358f36f0a31b-mcpsm-all-fields";

    public void Dispose() => _work.Dispose();

    [Theory]
    [InlineData("key-file")]
    [InlineData("passphrase")]
    public async Task Golden_files_open_and_hold_every_item(string under)
    {
        Prepare(under);
        var vault = new EncryptedFileVault(_work.Home);
        Assert.Equal(Items.Keys.Order(StringComparer.Ordinal), (await vault.NamesAsync(Cancellation)).Order(StringComparer.Ordinal));
        foreach (var (item, golden) in Items)
        {
            Assert.Equal(GoldenFile.OfCore(golden).Text, await vault.GetAsync(item, Cancellation));
        }
        Assert.True(vault.HasPending);
        var forKeyring = await vault.PendingForOthers.FindAsync("secret-service", "mcpsm-bearer", Cancellation);
        Assert.Equal(SampleCredentials.Pending, forKeyring);
        var forFile = await vault.PendingForThis.FindAsync("file", "mcpsm-all-fields", Cancellation);
        Assert.Equal("""{"url":"https://all-fields.example/mcp"}""", forFile!.Text);
        // SHA-256 of the item's text, in hexadecimal.
        Assert.Equal("46e9829e1eadd9b82c2fce4b419099711c5c5dcaadcc13446031465fd7977239", forFile.Base);
    }

    /// <summary>A pending item is used only while the vault holds the text whose digest it records.</summary>
    [Theory]
    [InlineData("key-file")]
    [InlineData("passphrase")]
    public async Task Pending_item_of_the_golden_files_replaces_the_text_it_was_made_for(string under)
    {
        Prepare(under);
        var vault = new EncryptedFileVault(_work.Home);
        Assert.Equal(("""{"url":"https://all-fields.example/mcp"}""", true),
            await new VaultWithFallback(vault, vault.PendingForThis).FindAsync("mcpsm-all-fields", Cancellation));
    }

    [Theory]
    [InlineData("key-file")]
    [InlineData("passphrase")]
    public void Golden_files_open_with_the_documented_format_alone(string under)
    {
        Prepare(under);
        var items = Read(under, "credentials.enc");
        Assert.Equal([.. Items.Keys, PendingForKeyring], items.Keys);
        GoldenFile.OfCore("items/pending.json").RequireEqual(items[PendingForKeyring]);
        Assert.Equal([PendingForFile], Read(under, "credentials.pending.enc").Keys);
    }

    [Theory]
    [InlineData("key-file", 0)]
    [InlineData("passphrase", 600_000)]
    public async Task Written_files_open_with_the_documented_format_alone(string under, int rounds)
    {
        Prepare(under);
        foreach (var file in new[] { "credentials.enc", "credentials.pending.enc" })
        {
            File.Delete(_work.Home.PathOf(file));
        }
        var vault = new EncryptedFileVault(_work.Home);
        await vault.SetAsync("mcpsm-bearer", "made-up-text", Cancellation);
        Assert.Equal(0, Bytes("credentials.enc")[13]);
        await vault.PendingForOthers.SetAsync(SampleCredentials.Pending, Cancellation);
        Assert.Equal(1, Bytes("credentials.enc")[13]);
        await vault.PendingForThis.SetAsync(new PendingItem("file", "mcpsm-all-fields", "", "made-up-text"), Cancellation);
        Assert.Equal(rounds, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(Bytes("credentials.enc").AsSpan(60)));
        var items = Read(under, "credentials.enc");
        Assert.Equal(["mcpsm-bearer", PendingForKeyring], items.Keys);
        Assert.Equal("made-up-text", items["mcpsm-bearer"]);
        GoldenFile.OfCore("items/pending.json").RequireEqual(items[PendingForKeyring]);
        Assert.Equal("""{"Vault":"file","Item":"mcpsm-all-fields","Base":"","Text":"made-up-text"}""", Read(under, "credentials.pending.enc")[PendingForFile]);
    }

    /// <summary>The file has one line of base64 for each secret. On Windows, DPAPI protects the text.</summary>
    [Fact]
    public async Task New_key_file_has_32_bytes_in_base64_on_one_line()
    {
        Require.OrSkip(!OperatingSystem.IsWindows(), "On Windows the key is protected by DPAPI.");
        await new EncryptedFileVault(_work.Home).SetAsync("mcpsm-bearer", "made-up-text", Cancellation);
        Assert.Matches("^[A-Za-z0-9+/]{43}=\n$", File.ReadAllText(_work.Home.PathOf("credentials.key")));
    }

    private void Prepare(string under)
    {
        foreach (var file in new[] { "credentials.enc", "credentials.pending.enc" })
        {
            GoldenFile.OfCore($"{under}/{file}").CopyTo(_work.Folder);
        }
        if (under == "passphrase")
        {
            _work.Variables["MCPSM_VAULT_PASSPHRASE"] = Passphrase;
            return;
        }
        Require.OrSkip(!OperatingSystem.IsWindows(), "On Windows the key is protected by DPAPI.");
        GoldenFile.OfCore("key-file/credentials.key").CopyTo(_work.Folder);
    }

    private byte[] Bytes(string file) => File.ReadAllBytes(_work.Home.PathOf(file));

    private Dictionary<string, string> Read(string under, string file) => under == "passphrase"
        ? EncryptedFileReader.OpenWithPassphrase(Bytes(file), Passphrase)
        : EncryptedFileReader.OpenWithKeyFile(Bytes(file), Convert.FromBase64String(GoldenFile.OfCore("key-file/credentials.key").Text.Trim()));
}
