namespace McpSm.Core.Tests.Support;

/// <summary>
/// A clock that a test moves. A wait does not take real time: it moves the clock to its end. A time limit ends when a test or a wait moves the clock
/// past it. A pause before another try takes real time, and does not move the clock: many threads that wait for a lock would move it by hours.
/// </summary>
public sealed class ManualTimeProvider : TimeProvider
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly List<TimeSpan> _waits = [];
    private readonly List<TimeLimitTimer> _limits = [];
    private DateTimeOffset _now = DateTimeOffset.UtcNow;

    public IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (_gate)
            {
                return [.. _waits];
            }
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public void Advance(TimeSpan by)
    {
        lock (_gate)
        {
            _now += by;
            foreach (var passed in _limits.Where(limit => limit.End <= _now).ToList())
            {
                _limits.Remove(passed);
                passed.Fire();
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (state is CancellationTokenSource)
        {
            var limit = new TimeLimitTimer(this, callback, state);
            limit.Change(dueTime, period);
            return limit;
        }
        if (dueTime >= TimeSpan.Zero && dueTime < LongestPause)
        {
            return System.CreateTimer(callback, state, dueTime, period);
        }
        if (dueTime >= TimeSpan.Zero)
        {
            lock (_gate)
            {
                _waits.Add(dueTime);
            }
            Advance(dueTime);
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        }
        return new Spent();
    }

    /// <summary>The timer of a <see cref="CancellationTokenSource"/>.</summary>
    private sealed class TimeLimitTimer(ManualTimeProvider time, TimerCallback callback, object state) : ITimer
    {
        public DateTimeOffset End { get; private set; }

        public void Fire() => ThreadPool.QueueUserWorkItem(_ => callback(state));

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._limits.Remove(this);
                if (dueTime >= TimeSpan.Zero)
                {
                    End = time._now + dueTime;
                    time._limits.Add(this);
                }
                return true;
            }
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Spent : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
