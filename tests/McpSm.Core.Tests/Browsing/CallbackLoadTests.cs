using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using McpSm.Core.Browsing;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Browsing;

/// <summary>Another user of the machine keeps the callback port busy.</summary>
public sealed class CallbackLoadTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    private readonly CallbackListener _listener = CallbackListener.TryBind(0, TimeProvider.System)!;
    private readonly List<TcpClient> _crowd = [];
    private readonly CancellationTokenSource _end = new();

    public CallbackLoadTests() => _listener.Start("good", "my-api");

    public void Dispose()
    {
        _end.Cancel();
        _crowd.ForEach(c => c.Dispose());
        _listener.Dispose();
        _end.Dispose();
    }

    /// <summary>Sends the browser's callback and requires its page within <see cref="Soon"/>.</summary>
    private async Task BrowserGetsThroughAsync(string more = "")
    {
        var started = Stopwatch.GetTimestamp();
        var page = RawHttp.GetAsync(_listener.Port, $"/callback?code=c{more}&state=good");
        await (await _listener.WaitAsync(default).WaitAsync(TimeSpan.FromSeconds(20))).FinishAsync(true);
        Assert.Equal(200, RawHttp.Status(await page));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, Soon);
    }

    private async Task<TcpClient> ComeAsync(string sends)
    {
        var client = await RawHttp.ConnectAsync(_listener.Port);
        _crowd.Add(client);
        if (sends.Length > 0)
        {
            await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(sends));
        }
        return client;
    }

    [Rule(31)]
    [Theory]
    [InlineData(200, "")]
    [InlineData(200, "GET /callback?code=x&sta")]
    [InlineData(900, "")]
    [InlineData(900, "GET / HTTP/1.1\r\nHost:")]
    public async Task Half_open_connections_do_not_block_the_browser(int count, string sends)
    {
        for (var i = 0; i < count; i++)
        {
            await ComeAsync(sends);
        }
        await BrowserGetsThroughAsync();
    }

    [Rule(31)]
    [Fact]
    public async Task Connections_that_reconnect_when_dropped_do_not_block_the_browser()
    {
        var connections = 0;
        async Task HoldAsync()
        {
            while (!_end.IsCancellationRequested)
            {
                try
                {
                    using var client = await RawHttp.ConnectAsync(_listener.Port);
                    Interlocked.Increment(ref connections);
                    await client.GetStream().ReadExactlyAsync(new byte[1], _end.Token);
                }
                catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
                {
                    // The listener dropped the connection: connect again.
                }
            }
        }
        var crowd = Enumerable.Range(0, 200).Select(_ => Task.Run(HoldAsync)).ToList();
        while (Volatile.Read(ref connections) < 400)
        {
            await Task.Delay(10, Cancellation);
        }
        await BrowserGetsThroughAsync();
        await _end.CancelAsync();
        await Task.WhenAll(crowd);
    }

    [Rule(31)]
    [Fact]
    public async Task Dripping_sender_is_dropped_only_when_slots_run_short()
    {
        var drip = await ComeAsync("GET /");
        for (var i = 0; i < LoopbackRequests.MaxIncomplete / 4; i++)
        {
            await ComeAsync("");
        }
        await drip.GetStream().WriteAsync("x"u8.ToArray(), Cancellation);
        Assert.False(drip.Client.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead));
        for (var i = 0; i < LoopbackRequests.MaxIncomplete; i++)
        {
            await ComeAsync("G");
        }
        // Either the end of the stream or a reset.
        Assert.True(drip.Client.Poll(TimeSpan.FromSeconds(5), SelectMode.SelectRead));
        await BrowserGetsThroughAsync();
    }

    [Rule(31)]
    [Fact]
    public async Task Silent_connection_is_dropped_after_two_seconds_when_slots_run_short()
    {
        for (var i = 0; i < (LoopbackRequests.MaxIncomplete / 2) + 1; i++)
        {
            await ComeAsync("");
        }
        await Task.Delay(TimeSpan.FromSeconds(2.1), Cancellation);
        await ComeAsync("");
        Assert.True(_crowd[0].Client.Poll(TimeSpan.FromSeconds(2), SelectMode.SelectRead));
        Assert.False(_crowd[^1].Client.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead));
        await BrowserGetsThroughAsync();
    }

    [Rule(31)]
    [Fact]
    public async Task Connections_reset_on_arrival_do_not_stop_the_listener()
    {
        for (var i = 0; i < 300; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, _listener.Port, Cancellation);
            if (i % 2 == 0)
            {
                await socket.SendAsync("GET /callback?code=x&state=bad HTTP/1.1\r\n\r\n"u8.ToArray());
            }
            socket.Close(0);
        }
        await BrowserGetsThroughAsync();
    }

    [Theory]
    [InlineData(18_000)]
    [InlineData(60_000)]
    public async Task Callback_with_long_query_is_accepted(int length) => await BrowserGetsThroughAsync(new string('x', length));

    [Rule(31)]
    [Fact]
    public async Task Request_head_without_end_is_refused()
    {
        var answer = await RawHttp.SendAsync(_listener.Port, "GET /callback?code=" + new string('x', LoopbackRequests.MaxHeadBytes));
        // The reset can arrive before the test has read the response.
        Assert.Contains(RawHttp.Status(answer), new[] { 0, 400 });
        await BrowserGetsThroughAsync();
    }
}
