using System.Diagnostics;
using McpSm.PowerShell.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of a pipeline that is stopped, for example with Ctrl+C.</summary>
[Collection(SerialCollection.Name)]
public sealed class StopTests
{
    [Fact]
    public async Task Pipeline_stopped_during_a_renewal_stores_the_new_token()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]; Connect-McpServer my-api -NoBrowser -CallbackPort 0", server.McpUrl.AbsoluteUri);
        Assert.Empty(session.Errors);
        var (asked, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        issuer.Faults.Before("/token", _ =>
        {
            asked.SetResult();
            return release.Task;
        }, times: 1);
        using (var shell = session.Shell("Update-McpToken my-api"))
        {
            var running = shell.InvokeAsync();
            await asked.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
            var stopping = Task.Run(shell.Stop, Cancellation);
            // Longer than the 2 seconds of a stop outside a renewal.
            await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
            Assert.False(stopping.IsCompleted);
            release.SetResult();
            await stopping.WaitAsync(TimeSpan.FromSeconds(5), Cancellation);
            await Assert.ThrowsAnyAsync<Exception>(() => running);
        }
        Assert.NotNull(issuer.Server.Introspect(session.Text("Get-McpToken my-api -AsPlainText")));
        session.Run("Update-McpToken my-api");
        Assert.Empty(session.Errors);
        Assert.Equal(2, issuer.Traffic.OfGrant("refresh_token").Count);
    }

    [Fact]
    public async Task Pipeline_stopped_during_a_blocked_read_ends_after_2_seconds()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no named pipes in folders here.");
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        var pipe = Path.Combine(session.Folder, "assertion");
        using (var made = Process.Start("mkfifo", [pipe]))
        {
            await made.WaitForExitAsync(Cancellation);
        }
        using var shell = session.Shell("Connect-McpServer my-api -AssertionFile $args[0]", pipe);
        var running = shell.InvokeAsync();
        await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
        try
        {
            Assert.False(running.IsCompleted, "it does not block");
            await Task.Run(shell.Stop, Cancellation).WaitAsync(TimeSpan.FromSeconds(5), Cancellation);
            await Assert.ThrowsAnyAsync<Exception>(() => running);
        }
        finally
        {
            // Releases the read that still blocks.
            using var writer = Process.Start("sh", ["-c", $"timeout 1 sh -c 'echo x > \"{pipe}\"'"]);
            await writer.WaitForExitAsync(Cancellation);
        }
    }
}
