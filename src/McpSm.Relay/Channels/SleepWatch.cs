namespace McpSm.Relay.Channels;

/// <summary>
/// Notices that the machine slept: its wall clock ran ahead of its monotonic clock. The connections of before are dead then, and neither side says so.
/// </summary>
internal sealed class SleepWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private DateTimeOffset _wall;
    private long _monotonic;
    private CancellationTokenSource _slept = new();

    public SleepWatch(TimeProvider time)
    {
        (_time, _wall, _monotonic) = (time, time.GetUtcNow(), time.GetTimestamp());
        _timer = time.CreateTimer(_ => Check(), null, Interval, Interval);
    }

    /// <summary>Cancelled after the next sleep.</summary>
    public CancellationToken NextSleep
    {
        get
        {
            lock (_gate)
            {
                return _slept.Token;
            }
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_gate)
        {
            _slept.Dispose();
        }
    }

    private void Check()
    {
        CancellationTokenSource slept;
        lock (_gate)
        {
            var (wall, monotonic) = (_time.GetUtcNow(), _time.GetTimestamp());
            var ahead = wall - _wall - _time.GetElapsedTime(_monotonic, monotonic);
            (_wall, _monotonic) = (wall, monotonic);
            if (ahead < Ahead)
            {
                return;
            }
            slept = _slept;
            _slept = new CancellationTokenSource();
        }
        try
        {
            slept.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The relay has ended at the same time.
        }
    }
}
