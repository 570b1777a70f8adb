namespace McpSm.Core.Interruption;

/// <summary>
/// Counts the exchanges of this process that spend something: a refresh token, a code, a device code. As long as one goes on,
/// the process should not end, because the answer would be lost.
/// </summary>
/// <param name="time">The clock that <see cref="TokenExchange.Limit"/> is measured by.</param>
public sealed class TokenExchangeTracker(TimeProvider time)
{
    private int _count;

    /// <summary>Whether an exchange goes on now.</summary>
    public bool AnyRunning => Volatile.Read(ref _count) > 0;

    /// <summary>Prepares an exchange for an operation that can be cancelled. It has not begun yet.</summary>
    /// <param name="cancellationToken">The operation's own. While the exchange goes on, it has no effect at once.</param>
    public TokenExchange Prepare(CancellationToken cancellationToken) => new(this, time, cancellationToken);

    internal void Add(int change) => Interlocked.Add(ref _count, change);
}
