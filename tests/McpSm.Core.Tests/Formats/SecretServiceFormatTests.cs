using System.Runtime.Versioning;
using McpSm.Core.Configuration;
using McpSm.Core.Vaults.Linux;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Formats;

/// <summary>What another program sees of our items in a desktop keyring: label, schema and attributes.</summary>
[SupportedOSPlatform("linux")]
[Collection(KeyringCollection.Name)]
public sealed class SecretServiceFormatTests
{
    private static readonly string[] Items =
        ["mcpsm-my-api", "mcpsmclient-ffb55acfff1cbc1b", "mcpsmidp-d168fcd02265184e", "mcpsmsecret-6d3c6b7b0b72f43ecc9b1410ed669836", "mcpsmcheck-0a1b2c3d"];

    [Fact]
    public async Task Written_items_seen_by_another_program_equal_the_golden_file()
    {
        Require.OrSkip(OperatingSystem.IsLinux(), "The Secret Service is of Linux.");
        Require.Programs("gnome-keyring-daemon", "dbus-daemon", "secret-tool");
        await using var keyring = await Keyring.StartAsync();
        var vault = new SecretServiceVault(new AppEnvironment(keyring.Variables.GetValueOrDefault));
        var seen = new List<string>();
        foreach (var item in Items)
        {
            await vault.SetAsync(item, $"made-up text of {item}", Cancellation);
            var found = await keyring.SecretToolAsync(["search", "--all", "xdg:schema", "io.github.mcpsm.Credential", "owner", "default", "item", item]);
            // The path and the times vary.
            seen.AddRange(found.Split('\n')
                .Where(l => l.StartsWith("label = ") || l.StartsWith("secret = ") || l.StartsWith("schema = ") || l.StartsWith("attribute."))
                .Order(StringComparer.Ordinal).Append(""));
        }
        GoldenFile.OfCore("keyring.txt").RequireEqual(string.Join('\n', seen));
    }

    [Fact]
    public async Task Items_written_by_another_program_from_the_golden_file_are_read()
    {
        Require.OrSkip(OperatingSystem.IsLinux(), "The Secret Service is of Linux.");
        Require.Programs("gnome-keyring-daemon", "dbus-daemon", "secret-tool");
        await using var keyring = await Keyring.StartAsync();
        var vault = new SecretServiceVault(new AppEnvironment(keyring.Variables.GetValueOrDefault));
        foreach (var block in GoldenFile.OfCore("keyring.txt").Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(" = ", 2)).ToDictionary(l => l[0], l => l[1]);
            await keyring.SecretToolAsync(["store", "--label", lines["label"], "xdg:schema", lines["schema"],
                "item", lines["attribute.item"], "owner", lines["attribute.owner"]], lines["secret"]);
            Assert.Equal(lines["secret"], await vault.GetAsync(lines["attribute.item"], Cancellation));
        }
        Assert.Equal(Items.Order(StringComparer.Ordinal), (await vault.NamesAsync(Cancellation)).Order(StringComparer.Ordinal));
    }
}
