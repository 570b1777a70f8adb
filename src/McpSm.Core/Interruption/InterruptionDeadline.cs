using System.Diagnostics;

namespace McpSm.Core.Interruption;

/// <summary>
/// When to stop waiting for work that was asked to end: after 2 seconds, because it may block in the system; but while an
/// exchange goes on, once that has ended, or has had <see cref="TokenExchange.Limit"/>, and its result could be stored.
/// </summary>
public sealed class InterruptionDeadline(TokenExchangeTracker exchanges)
{
    private static readonly TimeSpan ExchangeGrace = TimeSpan.FromSeconds(2);

    // To store what an exchange gave, and to say so.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly long _began = Stopwatch.GetTimestamp();
    private TimeSpan _end = ExchangeGrace;

    /// <summary>Whether the time is over. To be asked again and again, since it looks at the exchanges.</summary>
    public bool HasPassed
    {
        get
        {
            var elapsed = Stopwatch.GetElapsedTime(_began);
            if (elapsed < TokenExchange.Limit && exchanges.AnyRunning && elapsed + Grace > _end)
            {
                _end = elapsed + Grace;
            }
            return elapsed >= _end;
        }
    }
}
