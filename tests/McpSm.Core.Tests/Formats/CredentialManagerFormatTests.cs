using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults.Windows;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>
/// The names of the entries in the Windows Credential Manager, and the parts of a long secret. The vault uses entries in memory, and the
/// golden file shows a part by its length and the start of its SHA-256.
/// </summary>
public sealed class CredentialManagerFormatTests : IDisposable
{
    private const string Generation = "0123456789abcdef";

    private static readonly string Long = string.Concat(Enumerable.Range(0, 700).Select(i => $"made-up-{i:000}é"));

    private readonly TestEnvironment _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task Written_entries_equal_the_golden_file()
    {
        var entries = new MemoryCredentials();
        var vault = new CredentialManagerVault(_work.Home, entries);
        await vault.SetAsync("mcpsm-My-Api", "made-up text é", Cancellation);
        await vault.SetAsync("mcpsmclient-ffb55acfff1cbc1b", Long, Cancellation);
        // The generation and the folder vary, so the comparison replaces them with fixed texts.
        var written = entries.All.Select(e => e.Target).Single(t => t.Split(':') is [.., "0"]).Split(':')[^2];
        Assert.Matches("^[0-9a-f]{16}$", written);
        GoldenFile.OfCore("credential-manager.txt").RequireEqual(string.Concat(entries.All.Select(e =>
            $"{e.Target.Replace(_work.Home.Owner, "<owner>")} {Shown(e.Content)}\n")).Replace(written, Generation));
    }

    [Fact]
    public async Task Entries_of_the_golden_file_are_read()
    {
        var entries = new MemoryCredentials();
        var vault = new CredentialManagerVault(_work.Home, entries);
        // The test cuts the text into the content of the parts, at 2,560 bytes.
        var parts = Encoding.UTF8.GetBytes(Long).Chunk(2560).ToList();
        foreach (var line in GoldenFile.OfCore("credential-manager.txt").Text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var (target, shown) = (line.Split(' ', 2)[0].Replace("<owner>", _work.Home.Owner), line.Split(' ', 2)[1]);
            var content = target.Split(':')[^2] == Generation ? parts[int.Parse(target.Split(':')[^1])] : Encoding.UTF8.GetBytes(shown);
            Assert.Equal(shown, Shown(content));
            entries.Write(target, content);
        }
        Assert.Equal("made-up text é", await vault.GetAsync("mcpsm-My-Api", Cancellation));
        Assert.Equal(Long, await vault.GetAsync("mcpsmclient-ffb55acfff1cbc1b", Cancellation));
        Assert.Equal(["mcpsm-My-Api", "mcpsmclient-ffb55acfff1cbc1b"], (await vault.NamesAsync(Cancellation)).Order(StringComparer.Ordinal));
    }

    private static string Shown(byte[] content) => content is [(byte)'=' or (byte)'#', ..] && content.Length < 200 ? Encoding.UTF8.GetString(content)
        : $"({content.Length} bytes, {Convert.ToHexStringLower(SHA256.HashData(content))[..16]})";
}
