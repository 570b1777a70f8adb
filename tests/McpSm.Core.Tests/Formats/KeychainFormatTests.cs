using System.Runtime.Versioning;
using McpSm.Core.Configuration;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults.MacOS;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>The accounts of the macOS Keychain, and <c>keychain.json</c>. The vault uses passwords in memory.</summary>
public sealed class KeychainFormatTests : IDisposable
{
    private readonly TestEnvironment _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task Written_names_file_equals_the_golden_file()
    {
        var vault = new KeychainVault(_work.Home, new MemoryKeychain());
        await vault.SetAsync("mcpsmclient-ffb55acfff1cbc1b", "made up", Cancellation);
        await vault.SetAsync("mcpsm-my-api", "made up", Cancellation);
        GoldenFile.OfCore("keychain.json").RequireEqual(File.ReadAllBytes(_work.Home.PathOf("keychain.json")));
    }

    [Fact]
    public async Task Golden_names_file_is_read()
    {
        GoldenFile.OfCore("keychain.json").CopyTo(_work.Folder);
        Assert.Equal(["mcpsm-my-api", "mcpsmclient-ffb55acfff1cbc1b"], await new KeychainVault(_work.Home, new MemoryKeychain()).NamesAsync(Cancellation));
    }

    [Theory]
    [InlineData("/made/up/größe", "/made/up/gr%C3%B6%C3%9Fe:mcpsm-my-api")]
    [InlineData("/home/me/.mcp-manager", "default:mcpsm-my-api")]
    public async Task Keychain_account_is_owner_and_item(string folder, string account)
    {
        Require.OrSkip(!OperatingSystem.IsWindows(), "The folders are spelt as on Unix.");
        var environment = new AppEnvironment(name => name switch { "HOME" => "/home/me", "MCPSM_CONFIG_DIR" => folder, _ => null });
        var keychain = new MemoryKeychain { Passwords = { [account] = "made up"u8.ToArray() } };
        Assert.Equal("made up", await new KeychainVault(environment, keychain).GetAsync("mcpsm-my-api", Cancellation));
    }

    [Fact]
    [SupportedOSPlatform("macos")]
    public void Keychain_service_is_mcpsm() => Assert.Equal("mcpsm", MsalKeychain.Service);
}
