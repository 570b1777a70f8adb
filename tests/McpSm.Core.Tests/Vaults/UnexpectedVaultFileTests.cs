using System.Text;
using CsCheck;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults.EncryptedFile;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

/// <summary>If another user knows the key, the file can hold any content. The content is used, or refused as damaged.</summary>
public sealed class UnexpectedVaultFileTests
{
    private static readonly Gen<byte[]> Splice = Gen.Frequency(
        (2, Gen.Byte.Array[1, 3]),
        (2, Gen.OneOf("\\ud800", "\\\\ud800", "null", "{", "}", "[", "\"", "-1", "1e999", "").Select(Encoding.UTF8.GetBytes)));

    [Fact]
    public async Task Vault_content_spliced_at_random_is_used_or_refused()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var vault = new EncryptedFileVault(scene.Work.Home);
        var path = Path.Combine(scene.Work.Folder, "credentials.enc");
        var key = new EncryptedFileKeys(scene.Work.Home).Find(EncryptedFileFormat.ReadHeader(File.ReadAllBytes(path)));
        var facts = File.ReadAllBytes(Path.Combine(scene.Work.Folder, "credentials.json"));
        var right = EncryptedFileFormat.Open(key, File.ReadAllBytes(path));
        var server = scene.Server;
        await Gen.Select(Gen.Double[0, 1], Splice, Gen.Int[0, 4]).SampleAsync(async sample =>
        {
            var (part, splice, cut) = sample;
            var at = (int)(right.Length * part);
            byte[] content = [.. right[..at], .. splice, .. right[Math.Min(right.Length, at + cut)..]];
            File.WriteAllBytes(path, EncryptedFileFormat.Seal(key, content));
            File.WriteAllBytes(Path.Combine(scene.Work.Folder, "credentials.json"), facts);
            await UsedOrRefusedAsync(() => scene.Work.New().Tokens.GetTokenAsync(server, default));
            await UsedOrRefusedAsync(() => scene.Work.New().Servers.SetTokenAsync(server, "a-token", null, default));
            await UsedOrRefusedAsync(() => vault.NamesAsync(default));
        }, iter: 400, threads: 1);
    }

    private static async Task UsedOrRefusedAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (McpAuthException)
        {
            // Refused with our exception. Any other exception fails the test.
        }
    }
}
