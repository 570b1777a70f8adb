namespace McpSm.Core.Interruption;

/// <summary>
/// The deadline for work that was asked to stop. It is 2 seconds, because the work may be blocked in a system call. While a token exchange is
/// running, it extends until the exchange has ended, or has used up <see cref="TokenExchange.Limit"/>, and its result could be stored.
/// </summary>
internal sealed class InterruptionDeadline(TokenExchangeTracker exchanges)
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(2);

    // The time to store and report the result of an exchange.
    private static readonly TimeSpan StorageTimeout = TimeSpan.FromSeconds(1);

    private readonly long _started = exchanges.Time.GetTimestamp();
    private TimeSpan _end = DefaultTimeout;

    /// <summary>Whether the deadline has passed. Must be polled, because running exchanges extend the deadline.</summary>
    public bool HasPassed
    {
        get
        {
            var elapsed = exchanges.Time.GetElapsedTime(_started);
            if (elapsed < TokenExchange.Limit && exchanges.AnyRunning && elapsed + StorageTimeout > _end)
            {
                _end = elapsed + StorageTimeout;
            }
            return elapsed >= _end;
        }
    }
}
