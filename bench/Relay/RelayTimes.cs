using System.Diagnostics;

namespace McpSm.Bench.Relay;

/// <summary>What the runs of one relay took, in milliseconds, bytes and requests.</summary>
internal sealed class RelayTimes(string name)
{
    public const int Calls = 200;

    private const string Initialize = """
        {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":
        """ + """{"name":"bench","version":"1"}}}""";

    public List<double> Starts { get; } = [];

    public List<double> SingleCalls { get; } = [];

    public List<double> Bursts { get; } = [];

    public List<long> Peaks { get; } = [];

    public List<int> Requests { get; } = [];

    public Sample Start => new(name, Starts);

    public Sample Call => new(name, SingleCalls);

    public Sample Burst => new(name, Bursts);

    public string Name => name;

    /// <summary>Measures a run.</summary>
    /// <param name="keep">False for a run that only fills caches.</param>
    public async Task RunAsync(FastServer server, Func<IMcpConnection> start, bool keep)
    {
        server.Requests = 0;
        var began = Stopwatch.GetTimestamp();
        await using var relay = start();
        await OpenAsync(relay);
        var started = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        // Requests that follow on their own, such as the stream of the server, count too.
        await Task.Delay(500);
        var requests = server.Requests;
        var calls = new List<double>();
        for (var i = 0; i < Calls; i++)
        {
            began = Stopwatch.GetTimestamp();
            await relay.AskAsync(CallTool(i, "x"));
            calls.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        var burst = Enumerable.Range(Calls, Calls).Select(i => CallTool(i, "x")).ToList();
        began = Stopwatch.GetTimestamp();
        await relay.AskAllAsync(burst);
        var burstTime = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        if (keep)
        {
            Starts.Add(started);
            Requests.Add(requests);
            SingleCalls.Add(new Sample(name, calls).Median);
            Bursts.Add(burstTime);
            Peaks.Add((relay as RelayProcess)?.Peak ?? 0);
        }
    }

    /// <summary>Opens a session, and lists the tools.</summary>
    public static async Task OpenAsync(IMcpConnection relay)
    {
        await relay.AskAsync(Initialize);
        await relay.SendAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        await relay.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}""");
    }

    public static string CallTool(int id, string text) =>
        $$$$"""{"jsonrpc":"2.0","id":{{{{id + 2}}}},"method":"tools/call","params":{"name":"echo","arguments":{"text":"{{{{text}}}}"}}}""";
}
