using McpSm.Bench.Relay;

namespace McpSm.Bench.Rows;

/// <summary>Rows for the relay, against the npm tool mcp-remote and against a client that needs no relay. One run of each gives all rows.</summary>
internal static class RelayRows
{
    private const string Start = "proxy, from its start until tools/list is answered";
    private const string Call = "proxy, one call";
    private static readonly string Burst = $"proxy, {RelayTimes.Calls} calls at once";
    private static readonly string Memory = $"proxy, {2 * RelayTimes.Calls} calls";
    private const string Requests = "proxy, HTTP requests until tools/list is answered";
    private const string Flat = "proxy, memory";

    public static async Task RunAsync(BenchmarkEnvironment environment, Report report)
    {
        if (!report.Wants(Start) && !report.Wants(Call) && !report.Wants(Flat))
        {
            return;
        }
        await using var server = await FastServer.StartAsync();
        var folder = environment.NewFolder();
        await environment.Ours(folder, "add", "fast", "--type", "http", "--url", server.Url.AbsoluteUri).RunAsync();
        await (environment.Ours(folder, "auth", "set", "fast", "-") with { Input = FastServer.Token }).RunAsync();
        var ours = environment.Ours(folder, "proxy", "fast");
        if (report.Wants(Start) || report.Wants(Call))
        {
            await CompareAsync(server, ours, environment.Remote(server.Url, $"Authorization: Bearer {FastServer.Token}"), report);
        }
        await MeasureMemoryAsync(ours, report);
    }

    private static async Task CompareAsync(FastServer server, MeasuredProgram ours, MeasuredProgram? peer, Report report)
    {
        report.Say("proxy …");
        var relay = new RelayTimes(ours.Name);
        var remote = peer is null ? null : new RelayTimes(peer.Name);
        var direct = new RelayTimes("a client without a relay");
        for (var run = -1; run < report.Runs; run++)
        {
            await relay.RunAsync(server, () => RelayProcess.Start(ours), run >= 0);
            await (remote?.RunAsync(server, () => RelayProcess.Start(peer!), run >= 0) ?? Task.CompletedTask);
            await direct.RunAsync(server, () => new DirectConnection(server.Url), run >= 0);
        }
        foreach (var (other, atMost) in new[] { (remote, true), (direct, false) })
        {
            if (other is not null)
            {
                report.Add(new Comparison(Start, relay.Start, other.Start, atMost ? 0.1 : null));
                report.Add(new Comparison(Call, relay.Call, other.Call, atMost ? 0.15 : null));
                report.Add(new Comparison(Burst, relay.Burst, other.Burst, atMost ? 0.125 : null));
            }
        }
        report.Add(new Peak(Memory, relay.Name, relay.Peaks.Max(), remote is null ? null : remote.Peaks.Max() / 5));
        report.Add(new Count(Requests, relay.Name, relay.Requests.Max(), 4));
        if (remote is not null)
        {
            report.Add(new Peak(Memory, remote.Name, remote.Peaks.Max(), null));
            report.Add(new Count(Requests, remote.Name, remote.Requests.Max(), null));
        }
    }

    /// <summary>The memory of a relay does not grow with the number of messages, and is given back after a large one.</summary>
    private static async Task MeasureMemoryAsync(MeasuredProgram ours, Report report)
    {
        long? first = null;
        foreach (var messages in new[] { 10, 1_000, 10_000 })
        {
            var peak = await PeakAsync(messages, "x");
            // A tenth of the first, and 4 MB for the pages that the collector keeps.
            report.Add(new Peak($"{Flat}, {messages} messages", ours.Name, peak, first * 11 / 10 + 4_000_000));
            first ??= peak;
        }
        var large = new string('x', 10 * 1024 * 1024);
        long? firstLarge = null;
        foreach (var messages in new[] { 3, 30 })
        {
            var peak = await PeakAsync(messages, large);
            report.Add(new Peak($"{Flat}, {messages} messages of 10 MiB", ours.Name, peak, firstLarge * 11 / 10 + 4_000_000));
            firstLarge ??= peak;
        }

        async Task<long> PeakAsync(int messages, string text)
        {
            report.Say($"{Flat}, {messages} messages …");
            await using var relay = RelayProcess.Start(ours);
            await RelayTimes.OpenAsync(relay);
            for (var i = 0; i < messages; i++)
            {
                await relay.AskAsync(RelayTimes.CallTool(i, text));
            }
            return relay.Peak;
        }
    }
}
