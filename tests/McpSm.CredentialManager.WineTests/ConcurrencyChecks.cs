using static McpSm.CredentialManager.WineTests.CheckRunner;

namespace McpSm.CredentialManager.WineTests;

/// <summary>Checks of concurrent threads and processes, and of processes that are killed.</summary>
internal static class ConcurrencyChecks
{
    private const int Rounds = 12;

    public static async Task RunAsync(CheckRunner checks)
    {
        await checks.CheckAsync("4 threads write and a fifth reads one item: every read is complete, and no item is lost", async test =>
        {
            await WhileReadingAsync(test, Task.WhenAll("abcd".Select(letter => Task.Run(() => ChildProcess.WriteAsync(test.Folder, $"{letter}", Rounds)))));
            await AssertCompleteAsync(test, "abcd");
        });
        await checks.CheckAsync("2 processes write and a third reads one item: every read is complete, and no item is lost", async test =>
        {
            var writers = Task.WhenAll(ChildProcess.RunAsync("write", test.Folder, "a", Rounds), ChildProcess.RunAsync("write", test.Folder, "b", Rounds));
            await WhileReadingAsync(test, writers);
            That((await writers).SequenceEqual([0, 0]), "both exit with 0");
            await AssertCompleteAsync(test, "ab");
        });
        foreach (var (from, to) in new (int, int?)[] { (100, 6000), (6000, 100), (6000, 6001), (6000, null) })
        {
            var change = to is null ? $"removes a secret of {from} bytes" : $"replaces a secret of {from} bytes with {to}";
            await checks.CheckAsync($"a process that {change} is killed before each of its calls: the item is old or new, and no entry stays behind",
                test => KillAsync(test, from, to));
        }
    }

    private static async Task KillAsync(TestVault test, int from, int? to)
    {
        for (var calls = 0; ; calls++)
        {
            await test.Vault.SetAsync("mcpsm-a", StorageChecks.Text(from), default);
            var code = await ChildProcess.RunAsync("change-and-die", test.Folder, calls, to is null ? "" : to);
            var text = await test.Vault.GetAsync("mcpsm-a", default);
            var isNew = to is null ? text is null : text == StorageChecks.Text(to.Value);
            That(isNew || (code != 0 && text == StorageChecks.Text(from)), $"the item is old or new after {calls} calls");
            That((await test.Vault.NamesAsync(default)).Count == (text is null ? 0 : 1));
            await test.Vault.RemoveAsync("mcpsm-b", default);
            That(test.Entries().Count == (text is null ? 0 : StorageChecks.Count(text.Length)),
                $"no entry stays behind after {calls} calls and another change");
            if (code == 0)
            {
                That(calls > 2, "the process was killed");
                return;
            }
        }
    }

    private static async Task WhileReadingAsync(TestVault test, Task writers)
    {
        var reads = 0;
        try
        {
            for (; !writers.IsCompleted; reads++)
            {
                var text = await test.Vault.GetAsync("mcpsm-shared", default);
                That(text is null || ChildProcess.IsComplete(text), "every read is complete");
                await Task.Yield();
            }
        }
        finally
        {
            await writers;
        }
        That(reads > Rounds, $"{reads} reads are more than {Rounds}");
    }

    private static async Task AssertCompleteAsync(TestVault test, string letters)
    {
        var expected = letters.SelectMany(letter => Enumerable.Range(1, Rounds)
            .Select(round => (Name: $"mcpsm-{letter}-{round}", Text: ChildProcess.TextOf($"{letter}", round)))).ToList();
        That((await test.Vault.NamesAsync(default)).Order().SequenceEqual(expected.Select(e => e.Name).Append("mcpsm-shared").Order()), "every item is listed");
        foreach (var (name, text) in expected)
        {
            That(await test.Vault.GetAsync(name, default) == text, $"{name} has the text that was written");
        }
        var shared = await test.Vault.GetAsync("mcpsm-shared", default);
        That(test.Entries().Count == StorageChecks.Count(shared!.Length) + expected.Sum(e => StorageChecks.Count(e.Text.Length)), "no entry stays behind");
    }
}
