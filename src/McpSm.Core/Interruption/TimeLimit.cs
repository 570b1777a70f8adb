namespace McpSm.Core.Interruption;

/// <summary>Cancels when a time has passed, or earlier with another token. A linked <see cref="CancellationTokenSource"/> cannot take a clock.</summary>
internal sealed class TimeLimit : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _linked;

    /// <summary>Starts the time limit.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="limit">The time after which <see cref="Token"/> is cancelled.</param>
    /// <param name="cancellationToken">A token that cancels <see cref="Token"/> earlier.</param>
    public TimeLimit(TimeProvider time, TimeSpan limit, CancellationToken cancellationToken)
    {
        _timer = new(limit, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, cancellationToken);
    }

    public CancellationToken Token => _linked.Token;

    /// <summary>Replaces the time limit by another one, which starts now. Does nothing if the first has passed.</summary>
    public void Restart(TimeSpan limit) =>
#pragma warning disable RS0030 // A source that was created with a clock keeps it.
        _timer.CancelAfter(limit);
#pragma warning restore RS0030

    public void Dispose()
    {
        _linked.Dispose();
        _timer.Dispose();
    }
}
