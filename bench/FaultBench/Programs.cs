using System.Diagnostics;

namespace McpSm.FaultBench;

/// <summary>Programs of the system that the bench needs.</summary>
internal static class Programs
{
    /// <summary>Whether it ran and went well; false also if it is not here.</summary>
    public static Task<bool> RunsAsync(string program, params string[] arguments) => RunsWithAsync("", program, arguments);

    /// <param name="input">What it reads.</param>
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
