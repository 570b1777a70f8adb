using System.Diagnostics;
using McpSm.Commands.Tests.Support;
using McpSm.Commands.Tests.Vaults;
using Xunit;

namespace McpSm.Commands.Tests.Processes;

/// <summary>Tests that the released executable writes no core dump, which would contain tokens and the key of the vault.</summary>
public sealed class CoreDumpTests
{
    [Fact]
    public async Task Released_executable_is_not_dumpable()
    {
#if DEBUG
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MCPSM_TEST_EXE") is not null, "The executable of a debug build is dumpable.");
#endif
        using var mcpsm = new CliProcess();
        await OtherUser.BecomeAsync(mcpsm);
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        using var process = mcpsm.Start(["auth", "set", "my-api", "-"]);
        try
        {
            // The files of a process that is not dumpable belong to root (proc(5)).
            var started = Stopwatch.GetTimestamp();
            while (!process.HasExited && !await IsOfRootAsync(process) && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20))
            {
                await Task.Delay(20, Cancellation);
            }
            Assert.True(await IsOfRootAsync(process));
            await process.StandardInput.WriteLineAsync("a-token");
            process.StandardInput.Close();
            await process.WaitForExitAsync(Cancellation);
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static async Task<bool> IsOfRootAsync(Process process)
    {
        // Until setpriv has changed the user, the files belong to root anyway.
        var status = await File.ReadAllLinesAsync($"/proc/{process.Id}/status");
        return status.Any(l => l.StartsWith("Uid:") && l.EndsWith($"\t{OtherUser.Id}"))
            && status.Any(l => l is "Name:\tmcpsm" or "Name:\tdotnet")
            && (await OtherUser.OwnerAsync($"/proc/{process.Id}/environ")).StartsWith("0:");
    }
}
