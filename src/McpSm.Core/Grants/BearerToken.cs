using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>Validates tokens for an Authorization header.</summary>
internal static class BearerToken
{
    /// <summary>
    /// Returns whether the token is visible ASCII without spaces. RFC 6750 section 2.1 (b64token) allows less, but issuers send more, and
    /// the header can contain it.
    /// </summary>
    public static bool IsValid(string token) => token.Length > 0 && token.All(c => c is > ' ' and < '\x7F');

    /// <summary>Returns why the token cannot be sent, as a clause that does not repeat the token; null if it can be sent.</summary>
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
                ? $"it begins with '{scheme}', which is not part of a token; give only the text after it"
            : inner != token ? "it has spaces at its beginning or end"
            : inner.Any(char.IsWhiteSpace) ? "it contains spaces"
            : inner.Any(char.IsControl) ? "it contains control characters"
            : "it contains characters outside ASCII";
    }

    private static readonly string[] Schemes = ["Authorization: Bearer", "Authorization:", TokenType.Bearer, TokenType.DPoP, "Basic", "token"];
}
