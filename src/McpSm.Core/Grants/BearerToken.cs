using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>The syntax of tokens in an Authorization header.</summary>
public static class BearerToken
{
    /// <summary>
    /// Visible ASCII without spaces. RFC 6750 section 2.1 allows less (b64token), but issuers send more and the
    /// header carries it.
    /// </summary>
    public static bool IsValid(string token) => token.Length > 0 && token.All(c => c is > ' ' and < '\x7F');

    /// <summary>What keeps a token from being sent, in words for people that do not repeat it; null if nothing does.</summary>
    public static string? Fault(string token)
    {
        if (IsValid(token))
        {
            return null;
        }
        var inner = token.Trim();
        return inner.Length == 0 ? "it is empty"
            : inner.AsSpan().ContainsAny('\r', '\n') ? "it has several lines"
            : Schemes.FirstOrDefault(s => inner.StartsWith(s + " ", StringComparison.OrdinalIgnoreCase)) is { } scheme
                ? $"it begins with '{scheme}', which is no part of a token; give what follows that word"
            : inner != token ? "it has blanks at its beginning or end"
            : inner.Any(char.IsWhiteSpace) ? "it has blanks in it"
            : inner.Any(char.IsControl) ? "it has control characters"
            : "it has characters outside ASCII";
    }

    private static readonly string[] Schemes = ["Authorization: Bearer", "Authorization:", TokenType.Bearer, TokenType.DPoP, "Basic", "token"];
}
