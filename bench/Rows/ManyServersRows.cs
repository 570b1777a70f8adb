using McpSm.TestServers;

namespace McpSm.Bench.Rows;

/// <summary>Rows with many servers that respond slowly.</summary>
internal static class ManyServersRows
{
    public static async Task RunAsync(BenchmarkEnvironment environment, Report report)
    {
        const string hundred = "test, 100 servers of 200 ms";
        const string thousand = "test, 1,000 servers of 200 ms";
        if (!report.Wants(hundred) && !report.Wants(thousand))
        {
            return;
        }
        await using var slow = await StartSlowAsync();
        MeasuredProgram Test(string name, int servers) => environment.Ours(Folder(environment, slow, servers), "test") with { Name = name };
        var one = Test("the same, 1 server", 1);
        await report.CompareAsync(hundred, Test("mcpsm test", 100), (one, 5));
        await report.CompareAsync(thousand, 3, Test("mcpsm test", 1_000), (one, null));
        await report.PeakAsync("test, 1 server of 200 ms", one);
        await report.PeakAsync(hundred, Test("mcpsm test", 100));
        await report.PeakAsync(thousand, Test("mcpsm test", 1_000));
    }

    public static async Task<TestMcpServer> StartSlowAsync()
    {
        var slow = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        slow.Faults.Delay(slow.McpUrl.AbsolutePath, TimeSpan.FromMilliseconds(200));
        return slow;
    }

    /// <summary>Returns a configuration folder with a number of entries for the same server.</summary>
    public static string Folder(BenchmarkEnvironment environment, TestMcpServer server, int servers)
    {
        var folder = environment.NewFolder();
        BenchmarkEnvironment.WriteCatalog(folder, Enumerable.Range(0, servers).Select(n => ($"slow-{n}", server.McpUrl)));
        return folder;
    }
}
