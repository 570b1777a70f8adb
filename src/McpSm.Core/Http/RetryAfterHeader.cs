namespace McpSm.Core.Http;

/// <summary>When to try again, by the <c>Retry-After</c> of an answer (RFC 9110 section 10.2.3).</summary>
internal static class RetryAfterHeader
{
    /// <summary>The advice if the answer does not say when.</summary>
    public const string Later = "Try again later.";

    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(1);

    /// <summary>The advice, with a time span of at most a day: seconds and dates are both understood.</summary>
    /// <param name="now">Used if the answer carries no date of its own: the issuer's clock may differ from ours.</param>
    public static string Advice(HttpResponseMessage? response, DateTimeOffset now)
    {
        var said = response?.Headers.RetryAfter;
        var wait = said?.Delta ?? (said?.Date - (response!.Headers.Date ?? now));
        return wait is not { } span || span <= TimeSpan.Zero ? Later
            : span > MaxDelay ? "Try again in more than a day."
            : $"Try again in {Describe(span)}.";
    }

    private static string Describe(TimeSpan span) => span.TotalSeconds <= 90 ? Count(span.TotalSeconds, "second")
        : span.TotalMinutes <= 90 ? Count(span.TotalMinutes, "minute") : Count(span.TotalHours, "hour");

    /// <summary>Rounded up, but not for the second that passes between two clocks.</summary>
    private static string Count(double number, string unit) =>
        Math.Ceiling(Math.Round(number, 2)) is var whole && whole == 1 ? $"1 {unit}" : $"{whole:0} {unit}s";
}
