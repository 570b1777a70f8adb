namespace McpSm.Bench.Rows;

/// <summary>Rows for the status, which a shell prompt reads.</summary>
internal static class StatusRows
{
    public static async Task RunAsync(BenchmarkEnvironment environment, Report report)
    {
        var version = environment.Ours(environment.NewFolder(), "--version");
        foreach (var (servers, ofPeer, mostMemory) in new[] { (1, 0.03, 30_000_000L), (1_000, 0.06, 0), (10_000, 0.2, 150_000_000L) })
        {
            var work = $"auth status --json, {servers} server{(servers == 1 ? "" : "s")}";
            if (!report.Wants(work))
            {
                continue;
            }
            var ours = environment.Ours(await environment.OurFolderAsync(servers), "auth", "status", "--json");
            var peer = environment.Peer(await environment.PeerFolderAsync(servers), "auth", "status", "--json");
            await (servers == 1 ? report.CompareAsync(work, ours, (peer, ofPeer), (environment.Node(), 1), (version, 1.5))
                : report.CompareAsync(work, ours, (peer, ofPeer)));
            await report.PeakAsync(work, ours, mostMemory == 0 ? null : mostMemory);
            if (peer is not null)
            {
                await report.PeakAsync(work, peer);
            }
        }
    }
}
