using McpSm.Core.Errors;
using McpSm.Core.Vaults.Windows;
using static McpSm.CredentialManager.Trial.Trial;

namespace McpSm.CredentialManager.Trial;

/// <summary>Sets of entries that somebody touched, or that a killed writer left.</summary>
internal static class Damage
{
    private static readonly WindowsCredentials Raw = new();

    public static async Task RunAsync(Trial trial)
    {
        await trial.CheckAsync("a part that is missing is recognised, whichever it is", place =>
            EachPartAsync(place, RawEntries.Delete));
        await trial.CheckAsync("a part that was changed is recognised, whichever it is", place =>
            EachPartAsync(place, target => Raw.Write(target, [.. Raw.Read(target)!.Select((b, i) => (byte)(i == 17 ? b ^ 1 : b))])));
        await trial.CheckAsync("a part that was cut short is recognised, whichever it is", place =>
            EachPartAsync(place, target => Raw.Write(target, Raw.Read(target)!.AsSpan()[..^1])));
        await trial.CheckAsync("a head without any part is recognised, and the next text mends it", async place =>
        {
            await place.Vault.SetAsync("mcpsm-a", Storing.Text(6000), default);
            foreach (var part in Parts(place))
            {
                RawEntries.Delete(part);
            }
            await IsDamagedAsync(place);
            await place.Vault.SetAsync("mcpsm-a", Storing.Text(7000), default);
            That(await place.Vault.GetAsync("mcpsm-a", default) == Storing.Text(7000) && place.Entries().Count == Storing.Count(7000));
        });
        await trial.CheckAsync("a head that is not one of ours is recognised, and can be removed", async place =>
        {
            Raw.Write(place.Prefix + "mcpsm-a", "{}"u8);
            await IsDamagedAsync(place);
            That(await place.Vault.RemoveAsync("mcpsm-a", default) && place.Entries().Count == 0);
        });
        await trial.CheckAsync("parts without a head are seen by nobody, and the next change of any item clears them", async place =>
        {
            await place.Vault.SetAsync("mcpsm-a", Storing.Text(6000), default);
            RawEntries.Delete(place.Prefix + "mcpsm-a");
            That(place.Entries().Count == 3);
            That(await place.Vault.GetAsync("mcpsm-a", default) is null && (await place.Vault.NamesAsync(default)).Count == 0);
            await place.Vault.SetAsync("mcpsm-b", "x", default);
            That(place.Entries().Count == 1);
        });
        await trial.CheckAsync("parts of a second set beside the first change nothing, and the next change clears them", async place =>
        {
            await place.Vault.SetAsync("mcpsm-a", Storing.Text(6000), default);
            foreach (var part in Parts(place))
            {
                Raw.Write(part.Replace(part.Split(':')[^2], "0123456789abcdef"), Raw.Read(part)!);
            }
            That(place.Entries().Count == 7 && await place.Vault.GetAsync("mcpsm-a", default) == Storing.Text(6000));
            await place.Vault.RemoveAsync("mcpsm-b", default);
            That(place.Entries().Count == 4 && await place.Vault.GetAsync("mcpsm-a", default) == Storing.Text(6000));
        });
    }

    private static async Task EachPartAsync(Place place, Action<string> touch)
    {
        await place.Vault.SetAsync("mcpsm-b", Storing.Text(3000), default);
        for (var number = 0; number < 3; number++)
        {
            await place.Vault.SetAsync("mcpsm-a", Storing.Text(6000), default);
            touch(Parts(place)[number]);
            await IsDamagedAsync(place);
            That(await place.Vault.GetAsync("mcpsm-b", default) == Storing.Text(3000));
        }
    }

    private static async Task IsDamagedAsync(Place place)
    {
        var e = await FailsAsync(ErrorReason.VaultCorrupt, () => place.Vault.GetAsync("mcpsm-a", default));
        That(e.Message.Contains("'mcpsm-a'") && e.Remedy!.ToString().Contains($"cmdkey \"/delete:{place.Prefix}mcpsm-a\""));
    }

    private static List<string> Parts(Place place) => [.. place.Entries("mcpsm-a:").Select(e => e.Target).Order(StringComparer.Ordinal)];
}
