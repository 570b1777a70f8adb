namespace McpSm.Core.Discovery;

/// <summary>Lists of scopes as in OAuth messages: separated by spaces and unordered (RFC 6749 section 3.3).</summary>
internal static class Scopes
{
    /// <summary>The scope that requests a refresh token (OpenID Connect Core section 11).</summary>
    public const string Offline = "offline_access";

    public static IReadOnlyList<string> Split(string? text) => text is null ? []
        : [.. text.Split([' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries).Where(IsValid).Distinct(StringComparer.Ordinal)];

    /// <summary>
    /// Splits scopes that a person entered, separated by spaces or commas. Keeps invalid scopes, so that a later check can report them.
    /// </summary>
    public static IReadOnlyList<string> Typed(IEnumerable<string> given) =>
        [.. given.SelectMany(s => s.Split([' ', ',', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries)).Distinct(StringComparer.Ordinal)];

    public static string Join(IEnumerable<string> scopes) => string.Join(' ', scopes);

    /// <summary>scope-token = 1*( %x21 / %x23-5B / %x5D-7E )</summary>
    public static bool IsValid(string scope) =>
        scope.Length > 0 && scope.All(c => c is '\x21' or (>= '\x23' and <= '\x5B') or (>= '\x5D' and <= '\x7E'));
}
