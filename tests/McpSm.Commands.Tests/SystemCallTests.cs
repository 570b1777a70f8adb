using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests;

/// <summary>What the commands of a prompt ask of the system, counted by strace.</summary>
public sealed class SystemCallTests : IDisposable
{
    private readonly Mcpsm _mcpsm = new();

    public void Dispose() => _mcpsm.Dispose();

    [Fact]
    public async Task Status_reads_the_catalog_and_the_facts_once_and_nothing_else_of_ours()
    {
        var trace = await TraceAsync("auth status");
        Assert.Equal(["config.json", "credentials.json"], OpenedOfOurs(trace));
        Assert.Empty(Sockets(trace));
        Assert.DoesNotContain(trace, l => l.Contains("ModelContextProtocol") || l.Contains("Microsoft.Identity") || l.Contains("Duende"));
    }

    [Fact]
    public async Task A_valid_token_opens_the_vault_once_and_no_socket()
    {
        var trace = await TraceAsync("auth token my-api");
        Assert.Single(OpenedOfOurs(trace), f => f == "credentials.enc");
        Assert.Single(OpenedOfOurs(trace), f => f == "credentials.key");
        // Whose vault it is in decides first whether this is for pwsh to do.
        Assert.InRange(OpenedOfOurs(trace).Count, 4, 6);
        Assert.Empty(Sockets(trace));
        Assert.DoesNotContain(trace, l => l.Contains("ModelContextProtocol") || l.Contains("Microsoft.Identity"));
    }

    private List<string> OpenedOfOurs(IEnumerable<string> trace) => [.. trace.Where(l => l.Contains("openat(") && l.Contains($"\"{_mcpsm.Folder}/"))
        .Select(l => l.Split('"')[1][(_mcpsm.Folder.Length + 1)..]).Where(f => !f.StartsWith("trace", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>Sockets to elsewhere. The portable runtime opens one of its own, for its diagnostics on this machine.</summary>
    private static IEnumerable<string> Sockets(IEnumerable<string> trace) => trace.Where(l => l.Contains("socket(AF_INET") || l.Contains("connect("));

    private async Task<string[]> TraceAsync(string commandLine)
    {
        Require.OrSkip(File.Exists("/usr/bin/strace"), "strace is missing, which counts what is asked of the system.");
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
        _mcpsm.Variables["HOME"] = _mcpsm.Folder;
        (await _mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        (await _mcpsm.RunAsync(["auth", "set", "my-api", "-"], "a-token")).Done();
        var file = Path.Combine(_mcpsm.Folder, "trace");
        string[] strace = ["/usr/bin/strace", "-f", "-o", file, "-e", "trace=openat,socket,connect"];
        var program = _mcpsm.Executable;
        _mcpsm.Executable = [.. strace, .. program];
        var ended = await _mcpsm.RunAsync(commandLine);
        Assert.SkipWhen(ended.Error.Contains("Operation not permitted"), "No process may be traced here.");
        ended.Done();
        return await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
    }
}
