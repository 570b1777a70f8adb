using System.Collections.Concurrent;

namespace McpSm.Core.Http;

/// <summary>
/// The nonces that issuers and servers want in the next proof (RFC 9449 sections 8 and 9), the newest of each origin,
/// while this process lives. They are no secrets, and of no use to anybody without a key.
/// </summary>
internal static class DPoPNonceCache
{
    // In characters. It comes back in a header, of which web servers in common use take 8 KiB.
    private const int MaxNonceLength = 1024;

    private static readonly ConcurrentDictionary<string, string> Newest = new(StringComparer.Ordinal);

    /// <summary>The nonce for the next request there; null where none was given.</summary>
    public static string? For(Uri uri) => Newest.GetValueOrDefault(Origin(uri));

    /// <summary>Remembers what an answer carries, whatever its status (RFC 9449 section 8.2).</summary>
    /// <returns>The nonce; null where it carries none that could be sent back.</returns>
    public static string? Remember(Uri uri, HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues("DPoP-Nonce", out var values) || values.Count != 1 || !IsValid(values.ToString()))
        {
            return null;
        }
        return Newest[Origin(uri)] = values.ToString();
    }

    /// <summary>RFC 9449 section 8.1: printable ASCII without spaces, quotes and backslashes.</summary>
    internal static bool IsValid(string nonce) =>
        nonce.Length is > 0 and <= MaxNonceLength && nonce.All(c => c is > ' ' and < '\x7F' and not ('"' or '\\'));

    private static string Origin(Uri uri) => $"{uri.Scheme}://{uri.IdnHost}:{uri.Port}";
}
