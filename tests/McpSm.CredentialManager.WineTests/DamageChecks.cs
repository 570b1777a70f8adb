using McpSm.Core.Errors;
using McpSm.Core.Vaults.Windows;
using static McpSm.CredentialManager.WineTests.CheckRunner;

namespace McpSm.CredentialManager.WineTests;

/// <summary>Entries that another program changed, or that a killed process left.</summary>
internal static class DamageChecks
{
    private static readonly WindowsCredentials Raw = new();

    public static async Task RunAsync(CheckRunner checks)
    {
        await checks.CheckAsync("a missing part is detected, whichever it is", test =>
            EachPartAsync(test, StoredEntries.Delete));
        await checks.CheckAsync("a changed part is detected, whichever it is", test =>
            EachPartAsync(test, target => Raw.Write(target, [.. Raw.Read(target)!.Select((b, i) => (byte)(i == 17 ? b ^ 1 : b))])));
        await checks.CheckAsync("a truncated part is detected, whichever it is", test =>
            EachPartAsync(test, target => Raw.Write(target, Raw.Read(target)!.AsSpan()[..^1])));
        await checks.CheckAsync("a head without parts is detected, and the next write repairs it", async test =>
        {
            await test.Vault.SetAsync("mcpsm-a", StorageChecks.Text(6000), default);
            foreach (var part in Parts(test))
            {
                StoredEntries.Delete(part);
            }
            await IsDamagedAsync(test);
            await test.Vault.SetAsync("mcpsm-a", StorageChecks.Text(7000), default);
            That(await test.Vault.GetAsync("mcpsm-a", default) == StorageChecks.Text(7000) && test.Entries().Count == StorageChecks.Count(7000));
        });
        await checks.CheckAsync("a head of another program is detected, and can be removed", async test =>
        {
            Raw.Write(test.Prefix + "mcpsm-a", "{}"u8);
            await IsDamagedAsync(test);
            That(await test.Vault.RemoveAsync("mcpsm-a", default) && test.Entries().Count == 0);
        });
        await checks.CheckAsync("parts without a head are ignored, and the next change of any item removes them", async test =>
        {
            await test.Vault.SetAsync("mcpsm-a", StorageChecks.Text(6000), default);
            StoredEntries.Delete(test.Prefix + "mcpsm-a");
            That(test.Entries().Count == 3);
            That(await test.Vault.GetAsync("mcpsm-a", default) is null && (await test.Vault.NamesAsync(default)).Count == 0);
            await test.Vault.SetAsync("mcpsm-b", "x", default);
            That(test.Entries().Count == 1);
        });
        await checks.CheckAsync("parts of a second set are ignored, and the next change removes them", async test =>
        {
            await test.Vault.SetAsync("mcpsm-a", StorageChecks.Text(6000), default);
            foreach (var part in Parts(test))
            {
                Raw.Write(part.Replace(part.Split(':')[^2], "0123456789abcdef"), Raw.Read(part)!);
            }
            That(test.Entries().Count == 7 && await test.Vault.GetAsync("mcpsm-a", default) == StorageChecks.Text(6000));
            await test.Vault.RemoveAsync("mcpsm-b", default);
            That(test.Entries().Count == 4 && await test.Vault.GetAsync("mcpsm-a", default) == StorageChecks.Text(6000));
        });
    }

    private static async Task EachPartAsync(TestVault test, Action<string> touch)
    {
        await test.Vault.SetAsync("mcpsm-b", StorageChecks.Text(3000), default);
        for (var number = 0; number < 3; number++)
        {
            await test.Vault.SetAsync("mcpsm-a", StorageChecks.Text(6000), default);
            touch(Parts(test)[number]);
            await IsDamagedAsync(test);
            That(await test.Vault.GetAsync("mcpsm-b", default) == StorageChecks.Text(3000));
        }
    }

    private static async Task IsDamagedAsync(TestVault test)
    {
        var e = await FailsAsync(ErrorReason.VaultCorrupt, () => test.Vault.GetAsync("mcpsm-a", default));
        That(e.Message.Contains("'mcpsm-a'") && e.Remedy!.ToString().Contains($"cmdkey \"/delete:{test.Prefix}mcpsm-a\""));
    }

    private static List<string> Parts(TestVault test) => [.. test.Entries("mcpsm-a:").Select(e => e.Target).Order(StringComparer.Ordinal)];
}
