using System.Diagnostics;

namespace McpSm.FaultBench;

/// <summary>Runs programs of the system.</summary>
internal static class Programs
{
    /// <summary>Returns whether the program exited with 0; false also if it is missing.</summary>
    public static Task<bool> RunsAsync(string program, params string[] arguments) => RunsWithAsync("", program, arguments);

    /// <param name="input">The standard input of the program.</param>
    public static async Task<bool> RunsWithAsync(string input, string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true })!;
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
