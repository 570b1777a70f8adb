using System.Buffers.Text;
using System.Text.Json;

namespace McpSm.Core.Grants;

/// <summary>
/// Reads the <c>exp</c> of an access token that is a JWT (RFC 9068 section 2.2), for an issuer that returns no lifetime. The token is not
/// verified, because the value only decides when to renew.
/// </summary>
internal static class ExpiryHint
{
    // No server accepts a larger token in a header.
    private const int MaxTokenLength = 64 * 1024;

    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(365);

    /// <summary>Returns null if the token is not a JWT, or if it expires in the past or in more than a year.</summary>
    public static DateTimeOffset? Read(string accessToken, DateTimeOffset now)
    {
        if (accessToken.Length > MaxTokenLength || accessToken.Split('.') is not [{ Length: > 0 }, { Length: > 0 } claims, _] || !Base64Url.IsValid(claims))
        {
            return null;
        }
        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("exp", out var exp)
                && exp.ValueKind == JsonValueKind.Number && exp.TryGetDouble(out var seconds)
                && seconds > now.ToUnixTimeSeconds() && seconds <= (now + MaxLifetime).ToUnixTimeSeconds()
                ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            // A text of three parts need not be a JWT, and a name in its JSON can be invalid Unicode.
            return null;
        }
    }
}
