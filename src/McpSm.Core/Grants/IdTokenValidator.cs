using System.Buffers.Text;
using System.Text.Json;
using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>What is read of an ID token (OpenID Connect Core section 2).</summary>
/// <param name="Subject">Who signed in, in the provider's own words.</param>
public sealed record IdTokenValidator(string Subject, DateTimeOffset ExpiresAt)
{
    // No provider makes them larger, and some vault would not take them.
    private const int MaxLength = 32 * 1024;

    /// <summary>
    /// Checks an ID token that came from the token endpoint itself: TLS then stands for the signature (OpenID Connect Core
    /// section 3.1.3.7 item 6), and iss, aud, azp, exp and nonce are compared here.
    /// </summary>
    /// <param name="nonce">The nonce of the request; null for a renewal (OpenID Connect Core section 12.2).</param>
    /// <exception cref="McpAuthException">IssuerMismatch; TokenResponseInvalid. It is never shown.</exception>
    internal static IdTokenValidator Validate(string? token, string issuer, string clientId, string? nonce, DateTimeOffset now)
    {
        if (token is null)
        {
            throw Unusable("there is none: the issuer may be no OpenID Connect provider");
        }
        var claims = Claims(token);
        if (TokenSet.Text(claims, "iss") != issuer)
        {
            throw new McpAuthException(ErrorReason.IssuerMismatch,
                $"The ID token is of another issuer than {UntrustedText.Sanitize(issuer)}, which was asked. It was not kept.",
                "Do not repeat the sign-in before whoever runs the identity provider has explained this.");
        }
        if (!Audiences(claims).Contains(clientId) || (TokenSet.Text(claims, "azp") is { } party && party != clientId))
        {
            throw Unusable("it is for another client (aud)");
        }
        if (nonce is not null && TokenSet.Text(claims, "nonce") != nonce)
        {
            throw Unusable("it does not belong to this sign-in (nonce)");
        }
        if (Time(claims, "exp") is not { } end || end <= now)
        {
            throw Unusable("it has expired, or does not say when it will (exp)");
        }
        return new IdTokenValidator(TokenSet.Text(claims, "sub") is { Length: > 0 } subject ? subject : throw Unusable("it does not say who signed in (sub)"), end);
    }

    private static JsonElement Claims(string token)
    {
        if (token.Length > MaxLength || token.Split('.') is not [{ Length: > 0 }, var claims, _] || !Base64Url.IsValid(claims))
        {
            throw Unusable("it is no JWT");
        }
        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
            // Names that are no text, half a surrogate pair escaped, make every search in it fail.
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.EnumerateObject().All(m => m.Name is not null)
                ? json.RootElement.Clone() : throw Unusable("it is no JWT");
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            throw Unusable("it is no JWT");
        }
    }

    private static IEnumerable<string?> Audiences(JsonElement claims) => !claims.TryGetProperty("aud", out var audience) ? []
        : audience.ValueKind == JsonValueKind.Array ? [.. audience.EnumerateArray().Select(TokenSet.Text)] : [TokenSet.Text(audience)];

    private static DateTimeOffset? Time(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds)
            && seconds is > 0 and < 253402300799 ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : null;

    private static McpAuthException Unusable(string why) => new(ErrorReason.TokenResponseInvalid, $"The ID token cannot be used: {why}.");
}
