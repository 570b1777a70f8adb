using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.Windows;
using static McpSm.CredentialManager.WineTests.CheckRunner;

namespace McpSm.CredentialManager.WineTests;

/// <summary>Checks of items that one process writes, reads, lists and removes.</summary>
internal static class StorageChecks
{
    private static readonly int[] Sizes = [1, 2, 100, 2558, 2559, 2560, 2561, 5119, 5120, 5121, 8192, 20000, 65535, 65536];

    public static async Task RunAsync(CheckRunner checks)
    {
        foreach (var size in Sizes)
        {
            await checks.CheckAsync($"a secret of {size} bytes is written, listed, read and removed", test => RoundTripAsync(test, Text(size)));
        }
        foreach (var unit in new[] { "é", "日", "😀" })
        {
            await checks.CheckAsync($"text of {Encoding.UTF8.GetByteCount(unit)} bytes a character is read back if an entry ends within one", async test =>
            {
                for (var size = 2554; size <= 2566; size++)
                {
                    var before = size - (size / Encoding.UTF8.GetByteCount(unit) * Encoding.UTF8.GetByteCount(unit));
                    await RoundTripAsync(test, Text(before) + string.Concat(Enumerable.Repeat(unit, size / Encoding.UTF8.GetByteCount(unit))));
                }
            });
        }
        await checks.CheckAsync("a secret is replaced with a longer one and with a shorter one, and no entry of the old one stays", async test =>
        {
            foreach (var size in Sizes.Concat(Sizes.Reverse()).Concat([1, 65536, 1, 3000, 2999]))
            {
                await test.Vault.SetAsync("mcpsm-a", Text(size), default);
                That(await test.Vault.GetAsync("mcpsm-a", default) == Text(size));
                That(test.Entries().Count == Count(size));
            }
        });
        await checks.CheckAsync("an empty text is read back", test => RoundTripAsync(test, ""));
        await checks.CheckAsync("more than 64 KiB is refused, and the old secret stays", async test =>
        {
            await test.Vault.SetAsync("mcpsm-a", "old", default);
            await FailsAsync(ErrorReason.SecretTooLarge, () => test.Vault.SetAsync("mcpsm-a", Text(65537), default));
            That(await test.Vault.GetAsync("mcpsm-a", default) == "old" && test.Entries().Count == 1);
        });
        await checks.CheckAsync("an entry over 2,560 bytes is refused before the call of Windows", test =>
        {
            try
            {
                new WindowsCredentials().Write(test.Prefix + "mcpsm-a", new byte[2561]);
            }
            catch (ArgumentOutOfRangeException)
            {
                That(test.Entries().Count == 0);
                return Task.CompletedTask;
            }
            throw new InvalidOperationException("failed: it is refused");
        });
        await checks.CheckAsync("names that differ only in letter case are two items", async test =>
        {
            await test.Vault.SetAsync("mcpsm-Aa", "upper", default);
            await test.Vault.SetAsync("mcpsm-aa", Text(6000), default);
            That((await test.Vault.NamesAsync(default)).Order(StringComparer.Ordinal).SequenceEqual(["mcpsm-Aa", "mcpsm-aa"]));
            That(await test.Vault.RemoveAsync("mcpsm-aa", default) && await test.Vault.GetAsync("mcpsm-Aa", default) == "upper");
        });
        await checks.CheckAsync("two folders have separate items", async test =>
        {
            using var inner = new TestVault(Directory.CreateDirectory(Path.Combine(test.Folder, "inner")).FullName);
            await test.Vault.SetAsync("mcpsm-a", Text(6000), default);
            That((await inner.Vault.NamesAsync(default)).Count == 0 && await inner.Vault.GetAsync("mcpsm-a", default) is null);
            await inner.Vault.SetAsync("mcpsm-a", "inner", default);
            await test.Vault.RemoveAsync("mcpsm-a", default);
            That(await inner.Vault.GetAsync("mcpsm-a", default) == "inner" && test.Entries().Count == 0);
        });
        await checks.CheckAsync("the vault is the default if the user has not chosen one", async test =>
        {
            var notices = new List<string>();
            var chosen = await new VaultSelector(test.Home, [], notices.Add).ChooseAsync(null, default);
            That(chosen.Name == "credential-manager" && notices.Count == 0 && test.Entries().Count == 0);
            That(new Settings(test.Home).Vault == "credential-manager");
        });
    }

    /// <summary>Returns a text whose characters depend on their position, so that a mixture of two texts is detected.</summary>
    public static string Text(int size) => string.Create(size, 0, (all, _) =>
    {
        for (var i = 0; i < all.Length; i++)
        {
            all[i] = (char)('!' + ((i * 7) + (i / 89)) % 90);
        }
    });

    public static int Count(int size) => size < 2560 ? 1 : 1 + (size + 2559) / 2560;

    private static async Task RoundTripAsync(TestVault test, string text)
    {
        That(await test.Vault.GetAsync("mcpsm-a", default) is null);
        await test.Vault.SetAsync("mcpsm-a", text, default);
        That(await test.Vault.GetAsync("mcpsm-a", default) == text);
        That((await test.Vault.NamesAsync(default)).SequenceEqual(["mcpsm-a"]));
        That(test.Entries().Count == Count(Encoding.UTF8.GetByteCount(text)));
        That(test.Entries().All(e => e.Content.Length <= 2560));
        That(await test.Vault.RemoveAsync("mcpsm-a", default) && test.Entries().Count == 0);
        That(!await test.Vault.RemoveAsync("mcpsm-a", default));
    }
}
