using System.Buffers.Text;
using System.Text.Json;

namespace McpSm.Core.Grants;

/// <summary>
/// The <c>exp</c> of an access token that is a JWT (RFC 9068 section 2.2), for an issuer that names no lifetime. Nothing of the
/// token is verified, which is for the server to do: it only says when to renew.
/// </summary>
internal static class ExpiryHint
{
    // A larger one is read by nobody in a header.
    private const int MaxSeconds = 64 * 1024;

    private static readonly TimeSpan MaxLength = TimeSpan.FromDays(365);

    /// <summary>Null if it is no JWT, or says nothing of use: a time that is past, or more than a year away.</summary>
    public static DateTimeOffset? Read(string accessToken, DateTimeOffset now)
    {
        if (accessToken.Length > MaxSeconds || accessToken.Split('.') is not [{ Length: > 0 }, { Length: > 0 } claims, _] || !Base64Url.IsValid(claims))
        {
            return null;
        }
        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("exp", out var exp)
                && exp.ValueKind == JsonValueKind.Number && exp.TryGetDouble(out var seconds)
                && seconds > now.ToUnixTimeSeconds() && seconds <= (now + MaxLength).ToUnixTimeSeconds()
                ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            // Three parts with dots between them need not be a JWT, and a name in it need not be text.
            return null;
        }
    }
}
