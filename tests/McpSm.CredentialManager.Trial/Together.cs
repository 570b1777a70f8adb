using static McpSm.CredentialManager.Trial.Trial;

namespace McpSm.CredentialManager.Trial;

/// <summary>Threads and processes at once, and processes that are killed.</summary>
internal static class Together
{
    private const int Rounds = 12;

    public static async Task RunAsync(Trial trial)
    {
        await trial.CheckAsync("4 threads write and a fifth reads one item: every read is a whole text, no item is lost", async place =>
        {
            await WhileReadingAsync(place, Task.WhenAll("abcd".Select(letter => Task.Run(() => Writers.WriteAsync(place.Folder, $"{letter}", Rounds)))));
            await EndsWholeAsync(place, "abcd");
        });
        await trial.CheckAsync("2 processes write and a third reads one item: every read is a whole text, no item is lost", async place =>
        {
            var writers = Task.WhenAll(Writers.RunAsync("write", place.Folder, "a", Rounds), Writers.RunAsync("write", place.Folder, "b", Rounds));
            await WhileReadingAsync(place, writers);
            That((await writers).SequenceEqual([0, 0]), "both end well");
            await EndsWholeAsync(place, "ab");
        });
        foreach (var (from, to) in new (int, int?)[] { (100, 6000), (6000, 100), (6000, 6001), (6000, null) })
        {
            var change = to is null ? $"removes a secret of {from} bytes" : $"replaces a secret of {from} bytes with {to}";
            await trial.CheckAsync($"a process that {change} is killed before each of its calls: old or new, and nothing is left",
                place => KillAsync(place, from, to));
        }
    }

    private static async Task KillAsync(Place place, int from, int? to)
    {
        for (var calls = 0; ; calls++)
        {
            await place.Vault.SetAsync("mcpsm-a", Storing.Text(from), default);
            var code = await Writers.RunAsync("change-and-die", place.Folder, calls, to is null ? "" : to);
            var text = await place.Vault.GetAsync("mcpsm-a", default);
            var isNew = to is null ? text is null : text == Storing.Text(to.Value);
            That(isNew || (code != 0 && text == Storing.Text(from)), $"old or new after {calls} calls");
            That((await place.Vault.NamesAsync(default)).Count == (text is null ? 0 : 1));
            await place.Vault.RemoveAsync("mcpsm-b", default);
            That(place.Entries().Count == (text is null ? 0 : Storing.Count(text.Length)), $"no piece is left after {calls} calls and another change");
            if (code == 0)
            {
                That(calls > 2, "it was killed");
                return;
            }
        }
    }

    private static async Task WhileReadingAsync(Place place, Task writers)
    {
        var reads = 0;
        try
        {
            for (; !writers.IsCompleted; reads++)
            {
                var text = await place.Vault.GetAsync("mcpsm-shared", default);
                That(text is null || Writers.IsWhole(text), "what is read is whole");
                await Task.Yield();
            }
        }
        finally
        {
            await writers;
        }
        That(reads > Rounds, $"{reads} reads are more than {Rounds}");
    }

    private static async Task EndsWholeAsync(Place place, string letters)
    {
        var expected = letters.SelectMany(letter => Enumerable.Range(1, Rounds)
            .Select(round => (Name: $"mcpsm-{letter}-{round}", Text: Writers.TextOf($"{letter}", round)))).ToList();
        That((await place.Vault.NamesAsync(default)).Order().SequenceEqual(expected.Select(e => e.Name).Append("mcpsm-shared").Order()), "every item is listed");
        foreach (var (name, text) in expected)
        {
            That(await place.Vault.GetAsync(name, default) == text, $"{name} is what was written");
        }
        var shared = await place.Vault.GetAsync("mcpsm-shared", default);
        That(place.Entries().Count == Storing.Count(shared!.Length) + expected.Sum(e => Storing.Count(e.Text.Length)), "no piece is left");
    }
}
