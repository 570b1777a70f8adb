namespace McpSm.FaultBench;

/// <summary>Reads in a tight loop while other processes write.</summary>
internal static class ReaderRows
{
    public static async Task RunAsync(FaultOptions options, FaultReport report)
    {
        await using var shop = await FaultEnvironment.OpenAsync(options, ["a", "b"]);
        var (wrong, writes) = (new List<string>(), 0);
        await using var writer = await shop.WorkerAsync();
        await using var other = await shop.WorkerAsync();
        await using var reader = await shop.WorkerAsync();
        await using var second = await shop.WorkerAsync();
        var milliseconds = options.Quick ? 1500 : 60_000;
        var readers = new[] { reader, second };
        var reading = Task.WhenAll(readers.Select(r => r.DoAsync($"read {milliseconds} a b")));
        await Task.WhenAll(WriteAsync(writer, "a"), WriteAsync(other, "b"));
        var reads = 0;
        foreach (var answer in await reading)
        {
            if (answer?.Split(' ') is ["ok", var count])
            {
                reads += int.Parse(count);
            }
            else
            {
                wrong.Add($"a reader ended: {answer?.Split(' ')[1] ?? "it died"}");
            }
        }
        if (reads == 0 || writes == 0)
        {
            wrong.Add("nothing was read or nothing was written");
        }
        report.Row("readers during writes", $"{reads} reads of every file, {writes} writes meanwhile", wrong);

        async Task WriteAsync(WorkerProcess by, string id)
        {
            for (var i = 0; !reading.IsCompleted; i++)
            {
                await by.OkAsync(i % 3 == 2 ? $"remove {id}" : $"set {id} token-{i}");
                Interlocked.Increment(ref writes);
            }
        }
    }
}
