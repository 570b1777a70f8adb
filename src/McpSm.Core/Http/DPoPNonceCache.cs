using System.Collections.Concurrent;

namespace McpSm.Core.Http;

/// <summary>
/// The newest DPoP nonce of each issuer and server in this process, by origin (RFC 9449 sections 8 and 9). Nonces are not secrets, and are useless
/// without the key.
/// </summary>
internal static class DPoPNonceCache
{
    // In characters. The nonce is sent back in a header, and common web servers accept at most 8 KiB of headers.
    private const int MaxNonceLength = 1024;

    private static readonly ConcurrentDictionary<string, string> NewestByOrigin = new(StringComparer.Ordinal);

    /// <summary>Returns the nonce for the next request to the origin, or null if the origin has not sent one.</summary>
    public static string? For(Uri uri) => NewestByOrigin.GetValueOrDefault(Origin(uri));

    /// <summary>Stores the nonce of a response, whatever its status (RFC 9449 section 8.2).</summary>
    /// <returns>The nonce; null if the response does not have a valid one.</returns>
    public static string? Remember(Uri uri, HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("DPoP-Nonce", out var values) || values.Count != 1 || !IsValid(values.ToString()))
        {
            return null;
        }
        return NewestByOrigin[Origin(uri)] = values.ToString();
    }

    /// <summary>Checks the syntax of RFC 9449 section 8.1: printable ASCII without spaces, quotes and backslashes.</summary>
    internal static bool IsValid(string nonce) =>
        nonce.Length is > 0 and <= MaxNonceLength && nonce.All(c => c is > ' ' and < '\x7F' and not ('"' or '\\'));

    private static string Origin(Uri uri) => $"{uri.Scheme}://{uri.IdnHost}:{uri.Port}";
}
