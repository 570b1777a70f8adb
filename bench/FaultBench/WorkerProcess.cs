using System.Diagnostics;
using System.Globalization;

namespace McpSm.FaultBench;

/// <summary>The process of a worker.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private WorkerProcess(Process process) => _process = process;

    /// <param name="prefix">A program that runs the worker, such as <c>setpriv</c> with its options; empty for none.</param>
    public static async Task<WorkerProcess> StartAsync(string folder, string vault, params string[] prefix)
    {
        string[] command = [.. prefix, Environment.ProcessPath!, .. Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal)
            ? [typeof(WorkerProcess).Assembly.Location] : Array.Empty<string>(), "worker"];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["MCPSM_CONFIG_DIR"] = folder;
        start.Environment["MCPSM_VAULT"] = vault;
        start.Environment["DISPLAY"] = ":0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach (var name in new[] { "MCP_MANAGER_CONFIG_DIR", "MCPSM_VAULT_PASSPHRASE", "MCPSM_INTERACTIVE", "CI" })
        {
            start.Environment.Remove(name);
        }
        var worker = new WorkerProcess(Process.Start(start)!);
        return await worker._process.StandardOutput.ReadLineAsync() == "ready" ? worker
            : throw new InvalidOperationException("The worker did not start.");
    }

    /// <summary>Sends a command. Returns the answer, or null if the worker was killed before it.</summary>
    public async Task<string?> DoAsync(string command)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(command);
            await _process.StandardInput.FlushAsync();
            return await _process.StandardOutput.ReadLineAsync();
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Sends a command that must succeed.</summary>
    public async Task<string> OkAsync(string command) => await DoAsync(command) is { } answer && answer.StartsWith("ok ", StringComparison.Ordinal)
        ? answer[3..] : throw new InvalidOperationException($"'{command.Split(' ')[0]}' must succeed.");

    public void Kill() => _process.Kill();

    /// <summary>Sends SIGTERM.</summary>
    public Task TerminateAsync() => Programs.RunsAsync("kill", "-TERM", _process.Id.ToString(CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
