using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.Windows;
using static McpSm.CredentialManager.Trial.Trial;

namespace McpSm.CredentialManager.Trial;

/// <summary>What one process does with whole items.</summary>
internal static class Storing
{
    private static readonly int[] Sizes = [1, 2, 100, 2558, 2559, 2560, 2561, 5119, 5120, 5121, 8192, 20000, 65535, 65536];

    public static async Task RunAsync(Trial trial)
    {
        foreach (var size in Sizes)
        {
            await trial.CheckAsync($"a secret of {size} bytes is written, listed, read and removed", place => RoundTripAsync(place, Text(size)));
        }
        foreach (var unit in new[] { "é", "日", "😀" })
        {
            await trial.CheckAsync($"text of {Encoding.UTF8.GetByteCount(unit)} bytes a character comes back where an entry ends within one", async place =>
            {
                for (var size = 2554; size <= 2566; size++)
                {
                    var before = size - (size / Encoding.UTF8.GetByteCount(unit) * Encoding.UTF8.GetByteCount(unit));
                    await RoundTripAsync(place, Text(before) + string.Concat(Enumerable.Repeat(unit, size / Encoding.UTF8.GetByteCount(unit))));
                }
            });
        }
        await trial.CheckAsync("a secret is replaced with a longer one and with a shorter one, and nothing is left of the old", async place =>
        {
            foreach (var size in Sizes.Concat(Sizes.Reverse()).Concat([1, 65536, 1, 3000, 2999]))
            {
                await place.Vault.SetAsync("mcpsm-a", Text(size), default);
                That(await place.Vault.GetAsync("mcpsm-a", default) == Text(size));
                That(place.Entries().Count == Count(size));
            }
        });
        await trial.CheckAsync("an empty text comes back", place => RoundTripAsync(place, ""));
        await trial.CheckAsync("more than 64 KiB is refused and what was there stays", async place =>
        {
            await place.Vault.SetAsync("mcpsm-a", "old", default);
            await FailsAsync(ErrorReason.SecretTooLarge, () => place.Vault.SetAsync("mcpsm-a", Text(65537), default));
            That(await place.Vault.GetAsync("mcpsm-a", default) == "old" && place.Entries().Count == 1);
        });
        await trial.CheckAsync("an entry over 2,560 bytes is refused before Windows or Wine sees it", place =>
        {
            try
            {
                new WindowsCredentials().Write(place.Prefix + "mcpsm-a", new byte[2561]);
            }
            catch (ArgumentOutOfRangeException)
            {
                That(place.Entries().Count == 0);
                return Task.CompletedTask;
            }
            throw new InvalidOperationException("not so: it is refused");
        });
        await trial.CheckAsync("items that differ by case alone are two", async place =>
        {
            await place.Vault.SetAsync("mcpsm-Aa", "upper", default);
            await place.Vault.SetAsync("mcpsm-aa", Text(6000), default);
            That((await place.Vault.NamesAsync(default)).Order(StringComparer.Ordinal).SequenceEqual(["mcpsm-Aa", "mcpsm-aa"]));
            That(await place.Vault.RemoveAsync("mcpsm-aa", default) && await place.Vault.GetAsync("mcpsm-Aa", default) == "upper");
        });
        await trial.CheckAsync("two folders do not see each other's items", async place =>
        {
            using var inner = new Place(Directory.CreateDirectory(Path.Combine(place.Folder, "inner")).FullName);
            await place.Vault.SetAsync("mcpsm-a", Text(6000), default);
            That((await inner.Vault.NamesAsync(default)).Count == 0 && await inner.Vault.GetAsync("mcpsm-a", default) is null);
            await inner.Vault.SetAsync("mcpsm-a", "inner", default);
            await place.Vault.RemoveAsync("mcpsm-a", default);
            That(await inner.Vault.GetAsync("mcpsm-a", default) == "inner" && place.Entries().Count == 0);
        });
        await trial.CheckAsync("the vault is the one that is chosen where the user chose none", async place =>
        {
            var told = new List<string>();
            var chosen = await new VaultSelector(place.Home, [], told.Add).ChooseAsync(null, default);
            That(chosen.Name == "credential-manager" && told.Count == 0 && place.Entries().Count == 0);
            That(new Settings(place.Home).Vault == "credential-manager");
        });
    }

    /// <summary>Characters that tell their place, so that no mixture passes for the whole.</summary>
    public static string Text(int size) => string.Create(size, 0, (all, _) =>
    {
        for (var i = 0; i < all.Length; i++)
        {
            all[i] = (char)('!' + ((i * 7) + (i / 89)) % 90);
        }
    });

    public static int Count(int size) => size < 2560 ? 1 : 1 + (size + 2559) / 2560;

    private static async Task RoundTripAsync(Place place, string text)
    {
        That(await place.Vault.GetAsync("mcpsm-a", default) is null);
        await place.Vault.SetAsync("mcpsm-a", text, default);
        That(await place.Vault.GetAsync("mcpsm-a", default) == text);
        That((await place.Vault.NamesAsync(default)).SequenceEqual(["mcpsm-a"]));
        That(place.Entries().Count == Count(Encoding.UTF8.GetByteCount(text)));
        That(place.Entries().All(e => e.Content.Length <= 2560));
        That(await place.Vault.RemoveAsync("mcpsm-a", default) && place.Entries().Count == 0);
        That(!await place.Vault.RemoveAsync("mcpsm-a", default));
    }
}
