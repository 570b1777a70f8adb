using System.Diagnostics;
using System.Reflection;

namespace McpSm.Samples.Quickstart;

/// <summary>Runs the real executable as a process, and prints its command line and its output.</summary>
internal sealed class Terminal(string folder)
{
    private static readonly string Mcpsm = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "mcpsm").Value!;

    /// <summary>The command for another terminal.</summary>
    public string CommandLine => $"dotnet \"{Mcpsm}\"";

    /// <param name="isToken">Whether the output is a token. Only its beginning and end are shown.</param>
    public async Task<int> RunAsync(string[] arguments, bool isToken)
    {
        Console.WriteLine();
        Console.WriteLine($"$ mcpsm {string.Join(' ', arguments)}");
        var start = new ProcessStartInfo("dotnet", [Mcpsm, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["MCP_MANAGER_CONFIG_DIR"] = folder;
        start.Environment["MCPSM_INTERACTIVE"] = "1";
        start.Environment["BROWSER"] = $"\"{Environment.ProcessPath}\" --browse %s";
        // Keeps this run out of the user's vault.
        start.Environment["MCPSM_VAULT"] = "file";
        start.Environment.Remove("MCPSM_VAULT_PASSPHRASE");
        start.Environment.Remove("MCPSM_CALLBACK_PORT");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var lines = new Lock();
        void Show(string? line)
        {
            if (line is not null)
            {
                lock (lines)
                {
                    Console.WriteLine(isToken ? Masked(line) : line);
                }
            }
        }
        process.OutputDataReceived += (_, e) => Show(e.Data);
        process.ErrorDataReceived += (_, e) => Show(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static string Masked(string token) => token.Length < 12 ? "…" : $"{token[..3]}…{token[^3..]} ({token.Length} characters)";
}
