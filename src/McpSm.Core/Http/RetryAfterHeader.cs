namespace McpSm.Core.Http;

/// <summary>Reads the <c>Retry-After</c> header of a response (RFC 9110 section 10.2.3).</summary>
internal static class RetryAfterHeader
{
    /// <summary>The advice for a response without the header.</summary>
    public const string DefaultAdvice = "Try again later.";

    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(1);

    /// <summary>Returns the advice with a time span of at most a day. Supports seconds and dates.</summary>
    /// <param name="response">The response of a <see cref="RestrictedHttpClient"/>, which always has a Date header; or null.</param>
    public static string Advice(HttpResponseMessage? response)
    {
        var header = response?.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date - response!.Headers.Date);
        return wait is not { } span || span <= TimeSpan.Zero ? DefaultAdvice
            : span > MaxDelay ? "Try again in more than a day."
            : $"Try again in {Describe(span)}.";
    }

    private static string Describe(TimeSpan span) => span.TotalSeconds <= 90 ? Count(span.TotalSeconds, "second")
        : span.TotalMinutes <= 90 ? Count(span.TotalMinutes, "minute") : Count(span.TotalHours, "hour");

    /// <summary>Rounds up, except for fractions that come from the difference between two clocks.</summary>
    private static string Count(double number, string unit) =>
        Math.Ceiling(Math.Round(number, 2)) is var whole && whole == 1 ? $"1 {unit}" : $"{whole:0} {unit}s";
}
