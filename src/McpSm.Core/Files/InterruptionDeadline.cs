using System.Diagnostics;

namespace McpSm.Core.Files;

/// <summary>
/// When to stop waiting for work that was asked to end: after 2 seconds, because it may block in the system; but while an
/// exchange goes on, once that has ended, or has had <see cref="Exchange.Limit"/>, and its result could be stored.
/// </summary>
public sealed class InterruptionDeadline(Exchanges exchanges)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // To store what an exchange gave, and to say so.
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly long _began = Stopwatch.GetTimestamp();
    private TimeSpan _end = Patience;

    /// <summary>Whether the time is over. To be asked again and again, since it looks at the exchanges.</summary>
    public bool HasPassed
    {
        get
        {
            var elapsed = Stopwatch.GetElapsedTime(_began);
            if (elapsed < Exchange.Limit && exchanges.AreGoingOn && elapsed + Rest > _end)
            {
                _end = elapsed + Rest;
            }
            return elapsed >= _end;
        }
    }
}
