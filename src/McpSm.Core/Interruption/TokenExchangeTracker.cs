namespace McpSm.Core.Interruption;

/// <summary>
/// Counts the running exchanges of this process that use up something: a refresh token, a code, a device code. The process should not end while an
/// exchange is running, because the response would be lost.
/// </summary>
/// <param name="time">The clock that measures <see cref="TokenExchange.Limit"/>.</param>
internal sealed class TokenExchangeTracker(TimeProvider time)
{
    private int _count;

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Whether an exchange is running.</summary>
    public bool AnyRunning => Volatile.Read(ref _count) > 0;

    /// <summary>Prepares an exchange for an operation that can be cancelled. The exchange has not begun yet.</summary>
    /// <param name="cancellationToken">The token of the operation. It has no immediate effect while the exchange is running.</param>
    public TokenExchange Prepare(CancellationToken cancellationToken) => new(this, time, cancellationToken);

    internal void Add(int change) => Interlocked.Add(ref _count, change);
}
