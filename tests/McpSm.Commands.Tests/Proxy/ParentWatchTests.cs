using McpSm.Commands.Proxy;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary>How a relay notices that its client has ended.</summary>
public sealed class ParentWatchTests
{
    [Fact]
    public void Parent_that_changed_cancels_the_relay_at_the_next_look()
    {
        var (parent, time) = (100, new TickingTime());
        using var watch = ParentWatch.Start(() => parent, time, Cancellation);

        time.Tick();
        Assert.False(watch.Token.IsCancellationRequested);
        parent = 1;
        Assert.False(watch.Token.IsCancellationRequested);
        time.Tick();

        Assert.True(watch.Token.IsCancellationRequested);
        Assert.Equal(TimeSpan.FromSeconds(5), time.Period);
    }

    [Fact]
    public void Parent_that_changes_after_the_end_is_not_an_error()
    {
        var (parent, time) = (100, new TickingTime());
        ParentWatch.Start(() => parent, time, Cancellation).Dispose();

        parent = 1;
        time.Tick();

        Assert.Equal(1, parent);
    }

    [Fact]
    public async Task Cancelled_command_cancels_the_relay()
    {
        using var command = new CancellationTokenSource();
        using var watch = ParentWatch.Start(() => 1, new TickingTime(), command.Token);

        await command.CancelAsync();

        Assert.True(watch.Token.IsCancellationRequested);
    }

    /// <summary>A clock whose timers a test fires.</summary>
    private sealed class TickingTime : TimeProvider
    {
        private Action? _fire;

        public TimeSpan Period { get; private set; }

        public void Tick() => _fire?.Invoke();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_fire, Period) = (() => callback(state), period);
            return System.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
