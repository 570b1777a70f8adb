using System.Diagnostics;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Processes;

/// <summary>Tests of SIGINT, SIGTERM and SIGHUP, during a token request and at other times.</summary>
public sealed class SignalTests : IAsyncLifetime
{
    private readonly CliProcess _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals to send.");
        _issuer = await TestIssuer.StartAsync(new() { SupportsDeviceCode = true });
        _server = await TestMcpServer.StartAsync(_issuer);
        (await _mcpsm.RunAsync($"add my-api --type http --url {_server.McpUrl}")).Done();
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
            await _issuer.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task Signal_during_a_renewal_exits_after_the_new_token_is_stored(string signal)
    {
        await LoginAsync();
        var (asked, release) = Hold("/token");
        using var process = _mcpsm.Start(["auth", "refresh", "my-api"]);
        await asked.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await SendAsync(process, signal);
        // Longer than the 2 seconds after which the process ends at other times.
        await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
        Assert.False(process.HasExited);
        release.SetResult();
        Assert.Equal(130, await EndAsync(process, TimeSpan.FromSeconds(5)));
        await AssertRenewableAsync();
        Assert.Equal(2, _issuer.Traffic.OfGrant("refresh_token").Count);
    }

    [Fact]
    public async Task Signal_during_a_hanging_renewal_waits_at_most_8_seconds()
    {
        await LoginAsync();
        var (asked, _) = Hold("/token");
        using var process = _mcpsm.Start(["auth", "refresh", "my-api"]);
        await asked.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await SendAsync(process, "TERM");
        var began = Stopwatch.GetTimestamp();
        Assert.Equal(130, await EndAsync(process, TimeSpan.FromSeconds(12)));
        Assert.True(Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(7), "the process did not wait for the response");
        Assert.Contains("\"renewalUncertain\":true", (await _mcpsm.RunAsync("auth status my-api --json")).Done().Out.Replace(" ", ""));
    }

    [Fact]
    public async Task Signal_during_a_code_exchange_exits_after_the_sign_in_is_stored()
    {
        var (asked, release) = Hold("/token");
        using var process = _mcpsm.Start(["auth", "login", "my-api", "--no-browser", "--callback-port", "0"]);
        await FollowAsync(process);
        await asked.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await SendAsync(process, "TERM");
        await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
        release.SetResult();
        Assert.Equal(130, await EndAsync(process, TimeSpan.FromSeconds(5)));
        await AssertRenewableAsync();
    }

    [Fact]
    public async Task Signal_during_a_device_code_poll_exits_after_the_sign_in_is_stored()
    {
        var (asked, release) = Hold("/token");
        using var process = _mcpsm.Start(["auth", "login", "my-api", "--device"]);
        var code = await FollowAsync(process);
        await asked.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        Assert.True(_issuer.Server.DecideDevice(code!, true));
        await SendAsync(process, "INT");
        release.SetResult();
        Assert.Equal(130, await EndAsync(process, TimeSpan.FromSeconds(5)));
        await AssertRenewableAsync();
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task Signal_during_the_wait_for_a_person_ends_the_sign_in(string signal)
    {
        _mcpsm.Follow = _ => Task.CompletedTask;
        using var process = _mcpsm.Start(["auth", "login", "my-api", "--no-browser", "--callback-port", "0"]);
        while (await process.StandardError.ReadLineAsync(Cancellation) is { } line && CliProcess.AuthorizationUrl(line) is null)
        {
        }
        await SendAsync(process, signal);
        Assert.Equal(130, await EndAsync(process, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task Second_signal_ends_an_exchange_at_once()
    {
        await LoginAsync();
        var (asked, _) = Hold("/token");
        using var process = _mcpsm.Start(["auth", "refresh", "my-api"]);
        await asked.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await SendAsync(process, "TERM");
        await Task.Delay(TimeSpan.FromSeconds(0.5), Cancellation);
        Assert.False(process.HasExited);
        await SendAsync(process, "INT");
        Assert.Equal(130, await EndAsync(process, TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public async Task Process_blocked_in_a_system_call_ends_2_seconds_after_the_signal()
    {
        var pipe = Path.Combine(_mcpsm.Folder, "assertion");
        using (var made = Process.Start("mkfifo", [pipe]))
        {
            await made.WaitForExitAsync(Cancellation);
        }
        using var process = _mcpsm.Start(["auth", "login", "my-api", "--assertion-file", pipe]);
        await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
        Assert.False(process.HasExited);
        await SendAsync(process, "TERM");
        Assert.Equal(130, await EndAsync(process, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task Hangup_ignored_by_nohup_stays_ignored()
    {
        var (asked, release) = Hold("/token");
        string[] login = [.. _mcpsm.Executable, "auth", "login", "my-api", "--no-browser", "--callback-port", "0"];
        using var process = Process.Start(new ProcessStartInfo("nohup", login)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { ["MCP_MANAGER_CONFIG_DIR"] = _mcpsm.Folder, ["MCPSM_INTERACTIVE"] = "1" },
        })!;
        await FollowAsync(process);
        await asked.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await SendAsync(process, "HUP");
        release.SetResult();
        Assert.Equal(0, await EndAsync(process, TimeSpan.FromSeconds(20)));
    }

    private async Task LoginAsync()
    {
        (await _mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0")).Done();
        _issuer.Traffic.Clear();
    }

    /// <summary>Asserts that the stored sign-in can be renewed, so no response of the issuer was lost.</summary>
    private async Task AssertRenewableAsync()
    {
        _issuer.Faults.Clear();
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Null(new CredentialIndex(new AppEnvironment(n => n == "MCPSM_CONFIG_DIR" ? _mcpsm.Folder : null)).Read("my-api")!.RenewalBegan);
    }

    /// <summary>Delays the next request until the test releases it.</summary>
    private (Task Asked, TaskCompletionSource Release) Hold(string path)
    {
        var (asked, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        _issuer.Faults.Before(path, context =>
        {
            asked.TrySetResult();
            return release.Task.WaitAsync(context.RequestAborted);
        }, times: 1);
        return (asked.Task, release);
    }

    /// <summary>Follows the authorization URL, or returns the device code.</summary>
    private async Task<string?> FollowAsync(Process process)
    {
        const string enter = "and enter the code";
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            if (CliProcess.AuthorizationUrl(line) is not null)
            {
                _ = _mcpsm.Follow(line);
                return null;
            }
            if (line.StartsWith(enter, StringComparison.Ordinal))
            {
                return line[enter.Length..].Trim();
            }
        }
        return null;
    }

    private static async Task SendAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    private static async Task<int> EndAsync(Process process, TimeSpan within)
    {
        try
        {
            using var limit = new CancellationTokenSource(within);
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}
