using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>A relay on a machine that sleeps.</summary>
public sealed class SleepTests
{
    [Theory]
    [InlineData(60, 5, true)]
    [InlineData(60, 55, false)]
    [InlineData(12, 5, false)]
    public async Task Stream_of_the_server_is_opened_again_after_a_sleep(int wallSeconds, int monotonicSeconds, bool isReopened)
    {
        var opened = 0;
        var session = new SessionServer
        {
            Listen = async context =>
            {
                await SessionServer.EventAsync(context, $"id: e-{Interlocked.Increment(ref opened)}\ndata:\n\n");
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        var time = new SleepingTime();
        await using var client = new RelayClient(server.Url, options: new RelayOptions { Time = time });
        await client.InitializeAsync();
        await WaitAsync(() => Volatile.Read(ref opened) == 1);
        await Task.Delay(100, Cancellation);

        time.Pass(TimeSpan.FromSeconds(wallSeconds), TimeSpan.FromSeconds(monotonicSeconds));

        if (isReopened)
        {
            await WaitAsync(() => Volatile.Read(ref opened) == 2);
            Assert.Equal("e-1", server.Exchanges.Last(exchange => exchange.Method == "GET").Headers["Last-Event-ID"]);
        }
        await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");
        Assert.Equal(isReopened ? 2 : 1, opened);
    }

    private static async Task WaitAsync(Func<bool> condition)
    {
        for (var i = 0; i < 200 && !condition(); i++)
        {
            await Task.Delay(50, Cancellation);
        }
        Assert.True(condition());
    }

    /// <summary>A pair of clocks. Its periodic timers fire when a test lets time pass; the others run.</summary>
    private sealed class SleepingTime : TimeProvider
    {
        private readonly List<Action> _ticks = [];
        private TimeSpan _wall;
        private TimeSpan _monotonic;

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + _wall;

        public override long GetTimestamp() => System.GetTimestamp() + (long)(_monotonic.TotalSeconds * TimestampFrequency);

        public void Pass(TimeSpan wall, TimeSpan monotonic)
        {
            (_wall, _monotonic) = (_wall + wall, _monotonic + monotonic);
            _ticks.ToList().ForEach(tick => tick());
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (period == Timeout.InfiniteTimeSpan)
            {
                return System.CreateTimer(callback, state, dueTime, period);
            }
            _ticks.Add(() => callback(state));
            return System.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
