using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Processes;

/// <summary>Tests that count the system calls of frequent commands with strace.</summary>
public sealed class SystemCallTests : IDisposable
{
    private readonly CliProcess _mcpsm = new();

    public void Dispose() => _mcpsm.Dispose();

    [Fact]
    public async Task Status_reads_only_the_catalog_and_the_index_once_each()
    {
        var trace = await TraceAsync("auth status");
        Assert.Equal(["config.json", "credentials.json"], OpenedOfOurs(trace));
        Assert.Empty(Sockets(trace));
        Assert.DoesNotContain(trace, l => l.Contains("ModelContextProtocol") || l.Contains("Microsoft.Identity") || l.Contains("Duende"));
        Assert.DoesNotContain(trace, LoadsWebServer);
    }

    [Fact]
    public async Task Valid_token_opens_the_vault_once_and_no_socket()
    {
        var trace = await TraceAsync("auth token my-api");
        Assert.Single(OpenedOfOurs(trace), f => f == "credentials.enc");
        Assert.Single(OpenedOfOurs(trace), f => f == "credentials.key");
        // The first reads find out whether the credential is in a vault that needs pwsh. The settings may name another key file.
        Assert.InRange(OpenedOfOurs(trace).Count, 4, 7);
        Assert.Empty(Sockets(trace));
        Assert.DoesNotContain(trace, l => l.Contains("ModelContextProtocol") || l.Contains("Microsoft.Identity"));
        Assert.DoesNotContain(trace, LoadsWebServer);
    }

    [Fact]
    public async Task Login_all_reads_the_catalog_a_few_times_and_the_index_once_a_server()
    {
        var trace = await TraceAsync("auth login-all", servers: 40);
        Assert.InRange(OpenedOfOurs(trace).Count(f => f == "credentials.json"), 40, 44);
        Assert.InRange(OpenedOfOurs(trace).Count(f => f == "config.json"), 1, 4);
    }

    [Theory]
    [InlineData("ENOSYS")]
    [InlineData("ENOLCK")]
    public async Task File_system_without_locks_allows_reads_and_refuses_changes(string error)
    {
        string[] without = ["-e", $"inject=flock:error={error}"];
        Assert.Equal("a-token\n", (await RunTracedAsync("auth token my-api", "flock", without)).Done().Out);
        foreach (var line in new[] { "auth set my-api new-token", "server update my-api --name other" })
        {
            (await RunTracedAsync(line, "flock", without)).Failed(1, "does not support locks", "MCPSM_CONFIG_DIR");
        }
        Assert.Equal("a-token\n", (await _mcpsm.RunAsync("auth token my-api")).Done().Out);
    }

    private List<string> OpenedOfOurs(IEnumerable<string> trace) => [.. trace.Where(l => l.Contains("openat(") && l.Contains($"\"{_mcpsm.Folder}/"))
        .Select(l => l.Split('"')[1][(_mcpsm.Folder.Length + 1)..]).Where(f => !f.StartsWith("trace", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static bool LoadsWebServer(string call) => call.Contains("McpSm.HttpProxy.dll") || call.Contains("Microsoft.AspNetCore.Server.Kestrel");

    /// <summary>Returns the calls for network sockets. The portable runtime opens a local socket for diagnostics.</summary>
    private static IEnumerable<string> Sockets(IEnumerable<string> trace) => trace.Where(l => l.Contains("socket(AF_INET") || l.Contains("connect("));

    /// <summary>Stores a token for one server, and copies its entries in the catalog and the index for the others.</summary>
    private async Task SignInAsync(int servers)
    {
        if (File.Exists(Path.Combine(_mcpsm.Folder, "credentials.enc")))
        {
            return;
        }
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
        _mcpsm.Variables["HOME"] = _mcpsm.Folder;
        (await _mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        (await _mcpsm.RunAsync(["auth", "set", "my-api", "-"], "a-token")).Done();
        var (catalog, facts) = (Path.Combine(_mcpsm.Folder, "config.json"), Path.Combine(_mcpsm.Folder, "credentials.json"));
        var config = JsonNode.Parse(await File.ReadAllTextAsync(catalog))!;
        var credentials = JsonNode.Parse(await File.ReadAllTextAsync(facts))!;
        for (var i = 1; i < servers; i++)
        {
            var entry = config["remoteServers"]![0]!.DeepClone();
            (entry["id"], entry["name"]) = ($"my-api-{i}", $"my-api-{i}");
            config["remoteServers"]!.AsArray().Add(entry);
            credentials["servers"]![$"my-api-{i}"] = credentials["servers"]!["my-api"]!.DeepClone();
        }
        await File.WriteAllTextAsync(catalog, config.ToJsonString());
        await File.WriteAllTextAsync(facts, credentials.ToJsonString());
    }

    private async Task<string[]> TraceAsync(string commandLine, int servers = 1)
    {
        await SignInAsync(servers);
        (await RunTracedAsync(commandLine, "openat,socket,connect")).Done();
        return await File.ReadAllLinesAsync(TraceFile, Cancellation);
    }

    private string TraceFile => Path.Combine(_mcpsm.Folder, "trace");

    private async Task<CliResult> RunTracedAsync(string commandLine, string calls, params string[] options)
    {
        Require.OrSkip(File.Exists("/usr/bin/strace"), "strace is missing.");
        await SignInAsync(1);
        var program = _mcpsm.Executable;
        _mcpsm.Executable = ["/usr/bin/strace", "-f", "-o", TraceFile, "-e", "trace=" + calls, .. options, .. program];
        var ended = await _mcpsm.RunAsync(commandLine);
        _mcpsm.Executable = program;
        Assert.SkipWhen(ended.Error.Contains("Operation not permitted"), "Tracing is not permitted here.");
        return ended;
    }
}
