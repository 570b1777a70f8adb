using System.Buffers.Text;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Grants;

/// <summary>The claims of an ID token that Mcpsm uses (OpenID Connect Core section 2).</summary>
/// <param name="Subject">The provider's identifier of the person who signed in.</param>
/// <param name="ExpiresAt">When the ID token expires.</param>
internal sealed record IdTokenValidator(string Subject, DateTimeOffset ExpiresAt)
{
    // Providers do not issue larger tokens, and some vaults cannot store them.
    private const int MaxLength = 32 * 1024;

    /// <summary>
    /// Validates an ID token that came directly from the token endpoint. TLS then replaces the check of the signature (OpenID Connect Core
    /// section 3.1.3.7 item 6). This method checks iss, aud, azp, exp and nonce.
    /// </summary>
    /// <remarks><paramref name="nonce"/> is the nonce of the request; null for a renewal (OpenID Connect Core section 12.2).</remarks>
    /// <exception cref="McpAuthException">IssuerMismatch; TokenResponseInvalid. The message does not contain the token.</exception>
    internal static IdTokenValidator Validate(string? token, string issuer, string clientId, string? nonce, DateTimeOffset now)
    {
        if (token is null)
        {
            throw Unusable("it is missing, so the issuer may not support OpenID Connect");
        }
        var claims = Claims(token);
        if (TokenSet.Text(claims, "iss") != issuer)
        {
            throw new McpAuthException(ErrorReason.IssuerMismatch,
                    $"The ID token is from another issuer than {UntrustedText.Sanitize(issuer)}. It was not stored.",
                    "Do not sign in again until the operator of the identity provider has explained this.");
        }
        if (!Audiences(claims).Contains(clientId) || (TokenSet.Text(claims, "azp") is { } authorizedParty && authorizedParty != clientId))
        {
            throw Unusable("it is for another client (aud)");
        }
        if (nonce is not null && TokenSet.Text(claims, "nonce") != nonce)
        {
            throw Unusable("it does not belong to this sign-in (nonce)");
        }
        if (Time(claims, "exp") is not { } end || end <= now)
        {
            throw Unusable("it has expired, or has no expiry (exp)");
        }
        return TokenSet.Text(claims, "sub") is { Length: > 0 } subject ? new IdTokenValidator(subject, end)
            : throw Unusable("it does not name the person who signed in (sub)");
    }

    private static JsonElement Claims(string token)
    {
        if (token.Length > MaxLength || token.Split('.') is not [{ Length: > 0 }, var claims, _] || !Base64Url.IsValid(claims))
        {
            throw Unusable("it is not a JWT");
        }
        try
        {
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
            // A name with half a surrogate pair would make every lookup throw.
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.EnumerateObject().All(m => m.Name is not null)
                ? json.RootElement.Clone() : throw Unusable("it is not a JWT");
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            throw Unusable("it is not a JWT");
        }
    }

    private static IEnumerable<string?> Audiences(JsonElement claims) => !claims.TryGetProperty("aud", out var audience) ? []
        : audience.ValueKind == JsonValueKind.Array ? [.. audience.EnumerateArray().Select(member => member.TextOrNull())] : [audience.TextOrNull()];

    private static DateTimeOffset? Time(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds)
            && seconds is > 0 and < 253402300799 ? DateTimeOffset.FromUnixTimeSeconds((long)seconds) : null;

    private static McpAuthException Unusable(string reason) => new(ErrorReason.TokenResponseInvalid, $"The ID token cannot be used: {reason}.");
}
