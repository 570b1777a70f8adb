using System.Text.Json;
using McpSm.Core.Credentials;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary><c>credentials.json</c>.</summary>
public sealed class CredentialIndexFormatTests
{
    private static GoldenFile Golden => GoldenFile.OfCore("credentials.json");

    [Fact]
    public async Task Index_written_entry_by_entry_equals_the_golden_file()
    {
        using var work = new TestEnvironment();
        var file = new CredentialIndex(work.Home);
        foreach (var (id, info) in SampleIndex.Servers)
        {
            await file.WriteAsync(id, _ => info, Cancellation);
        }
        await file.WriteSecretAsync(SampleIndex.Secret.Item, SampleIndex.Secret.Vault, Cancellation);
        await file.WriteIdentityAsync(SampleIndex.Identity.Item, _ => SampleIndex.Identity.Facts, Cancellation);
        await file.WriteRegistrationAsync(SampleIndex.Registration.Item, _ => SampleIndex.Registration.Facts, Cancellation);
        Golden.RequireEqual(File.ReadAllBytes(work.Home.PathOf("credentials.json")));
    }

    [Fact]
    public async Task Golden_file_changed_and_changed_back_stays_byte_equal()
    {
        using var work = new TestEnvironment();
        Golden.CopyTo(work.Folder);
        var file = new CredentialIndex(work.Home);
        await file.WriteAsync("another", _ => new CredentialInfo { Vault = "file" }, Cancellation);
        Assert.NotEqual(Golden.Bytes, File.ReadAllBytes(work.Home.PathOf("credentials.json")));
        await file.WriteAsync("another", _ => null, Cancellation);
        Golden.RequireEqual(File.ReadAllBytes(work.Home.PathOf("credentials.json")));
    }

    [Fact]
    public void Handwritten_and_generated_reader_agree_on_the_golden_file()
    {
        using var document = JsonDocument.Parse(Golden.Bytes);
        var byHand = CredentialIndexReader.Read(document.RootElement);
        var generated = JsonSerializer.Deserialize(Golden.Bytes, CredentialJson.Default.CredentialIndexDocument)!;
        Golden.RequireEqual(JsonSerializer.SerializeToUtf8Bytes(byHand, CredentialJson.Default.CredentialIndexDocument));
        Golden.RequireEqual(JsonSerializer.SerializeToUtf8Bytes(generated, CredentialJson.Default.CredentialIndexDocument));
        foreach (var (id, info) in SampleIndex.Servers)
        {
            var alone = CredentialIndexReader.Read(document.RootElement, id)!;
            Assert.Equivalent(info, alone, strict: true);
            Assert.Equivalent(info, byHand.Servers[id], strict: true);
            Assert.Equivalent(info, generated.Servers[id], strict: true);
        }
        Assert.Equivalent(SampleIndex.Identity.Facts, byHand.Identities![SampleIndex.Identity.Item], strict: true);
        Assert.Equivalent(SampleIndex.Identity.Facts, generated.Identities![SampleIndex.Identity.Item], strict: true);
        Assert.Equivalent(SampleIndex.Registration.Facts, byHand.Registrations![SampleIndex.Registration.Item], strict: true);
        Assert.Equivalent(SampleIndex.Registration.Facts, generated.Registrations![SampleIndex.Registration.Item], strict: true);
    }

    /// <summary>Compares the enum texts that the reader accepts with those that the serializer writes.</summary>
    [Theory]
    [MemberData(nameof(EnumTexts))]
    public void Handwritten_reader_accepts_every_written_enum_text(string kind, string? signedInBy)
    {
        var by = signedInBy is null ? "null" : $"\"{signedInBy}\"";
        var entry = $$"""{"version":1,"servers":{"a":{"kind":"{{kind}}","signedInBy":{{by}} } } }""";
        using var document = JsonDocument.Parse(entry);
        var written = JsonSerializer.SerializeToElement(CredentialIndexReader.Read(document.RootElement), CredentialJson.Default.CredentialIndexDocument)
            .GetProperty("servers").GetProperty("a");
        Assert.Equal(kind, written.GetProperty("kind").GetString());
        Assert.Equal(signedInBy, written.TryGetProperty("signedInBy", out var text) ? text.GetString() : null);
    }

    public static TheoryData<string, string?> EnumTexts => new()
    {
        { "None", null }, { "Bearer", null }, { "OAuth", null },
        { "OAuth", "Person" }, { "OAuth", "Client" }, { "OAuth", "Workload" }, { "OAuth", "IdentityProvider" },
    };
}
