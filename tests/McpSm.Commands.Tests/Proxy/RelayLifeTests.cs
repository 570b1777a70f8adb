using System.Diagnostics;
using System.Globalization;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary>How the process of a relay ends.</summary>
public sealed class RelayLifeTests
{
    // Two seconds, and the time that a busy machine needs to end a process.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(3.5);

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task Signal_ends_the_relay_as_the_end_of_its_input_does(string signal)
    {
        Require.Programs("kill");
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.StartRelay();
        await RelayScene.AskAsync(relay, RelayScene.Initialize);
        await RelayScene.AskAsync(relay, RelayScene.ListTools);

        var began = Stopwatch.GetTimestamp();
        RelayScene.Signal(relay.Id, signal);

        Assert.Equal(0, await RelayScene.EndedAsync(relay));
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, Soon);
        Assert.Equal("", await relay.StandardError.ReadToEndAsync(Cancellation));
    }

    [Fact]
    public async Task Signal_ends_a_relay_whose_server_does_not_answer()
    {
        Require.Programs("kill");
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.StartRelay();
        await RelayScene.AskAsync(relay, RelayScene.Initialize);
        scene.Server.Faults.Hang("/mcp");
        await relay.StandardInput.WriteLineAsync(RelayScene.ListTools);
        await Task.Delay(200, Cancellation);

        var began = Stopwatch.GetTimestamp();
        RelayScene.Signal(relay.Id, "TERM");

        Assert.Equal(0, await RelayScene.EndedAsync(relay));
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, Soon);
    }

    [Theory]
    [InlineData]
    [InlineData("TERM")]
    [InlineData("INT", "TERM")]
    public async Task Renewal_in_flight_is_stored_before_the_relay_ends(params string[] signals)
    {
        Require.Programs("kill");
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.StartRelay();
        await RelayScene.AskAsync(relay, RelayScene.Initialize);
        var (reached, release) = scene.HoldRenewal();
        await relay.StandardInput.WriteLineAsync(RelayScene.ListTools);
        await reached.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);

        var began = Stopwatch.GetTimestamp();
        foreach (var signal in signals)
        {
            RelayScene.Signal(relay.Id, signal);
        }
        if (signals.Length == 0)
        {
            relay.StandardInput.Close();
        }
        // The client sees the end, although the process still waits for the issuer.
        while (await RelayScene.ReadLineAsync(relay) is not null)
        {
        }
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, Soon);
        await Task.Delay(500, Cancellation);
        Assert.False(relay.HasExited);
        release.SetResult();

        Assert.Equal(0, await RelayScene.EndedAsync(relay));
        scene.Issuer.Faults.Clear();
        var token = (await scene.Mcpsm.RunAsync("auth token my-api")).Done().Out.Trim();
        Assert.True(scene.Issuer.Server.Introspect(token)?.Active);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Client_that_no_longer_reads_ends_the_relay()
    {
        await using var scene = await RelayScene.StartAsync();
        using var relay = scene.StartRelay();
        await RelayScene.AskAsync(relay, RelayScene.Initialize);

        relay.StandardOutput.Close();
        await relay.StandardInput.WriteLineAsync(RelayScene.ListTools);

        Assert.Equal(0, await RelayScene.EndedAsync(relay));
    }

    [Fact]
    public async Task Relay_ends_with_its_client_although_a_sibling_holds_the_pipe()
    {
        Require.Programs("kill", "sh");
        await using var scene = await RelayScene.StartAsync();
        // The shell is the client. Its other child inherits the writing end of the relay's standard input.
        using var client = scene.Mcpsm.StartShell(
            "sh -c 'echo $$ >&2; printf \"%s\\n\" \"$0\"; exec sleep 60' \"$1\" | { shift; exec \"$@\"; } & echo $! >&2; read line",
            RelayScene.Initialize, "proxy", "my-api");
        var ids = new[] { await client.StandardError.ReadLineAsync(Cancellation), await client.StandardError.ReadLineAsync(Cancellation) }
            .Select(line => int.Parse(line!, CultureInfo.InvariantCulture)).ToList();
        try
        {
            Assert.NotNull(await RelayScene.ReadLineAsync(client));
            await client.StandardInput.WriteLineAsync();

            // The end of the output: the relay was the last that could write to it.
            Assert.Null(await RelayScene.ReadLineAsync(client));
        }
        finally
        {
            ids.ForEach(id => RelayScene.Signal(id, "KILL"));
        }
    }
}
