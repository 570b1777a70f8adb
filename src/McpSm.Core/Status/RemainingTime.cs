namespace McpSm.Core.Status;

/// <summary>Computes how long a token is still valid.</summary>
internal static class RemainingTime
{
    /// <summary>Returns the time left, in whole seconds; zero if it is over, null if there is no end or the end is unknown.</summary>
    public static TimeSpan? Until(DateTimeOffset? end, DateTimeOffset now) =>
        end is not { } at ? null : TimeSpan.FromSeconds(Math.Max(0, Math.Floor((at - now).TotalSeconds)));
}
