using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>
/// The token exchange (RFC 8693) at an identity provider: an ID token for an ID-JAG, which lets its bearer in at the issuer
/// of one server (draft-ietf-oauth-identity-assertion-authz-grant section 4; rule 34 of docs/rules.md).
/// </summary>
public static class TokenExchangeGrant
{
    /// <summary>The type of an ID-JAG.</summary>
    public const string IdJag = "urn:ietf:params:oauth:token-type:id-jag";

    private const string IdTokenType = "urn:ietf:params:oauth:token-type:id_token";

    /// <param name="provider">The identity provider's issuer identifier.</param>
    /// <param name="client">As the identity provider knows us: the ID token was made for it.</param>
    /// <param name="audience">The issuer of the server.</param>
    /// <param name="resource">The server.</param>
    /// <returns>The ID-JAG, a bearer secret that serves once, and the scopes that it is for.</returns>
    /// <exception cref="McpAuthException">
    /// AuthenticationRequired: the ID token is not accepted any more. AuthorizationDenied: the organisation does not let this
    /// person or this client use the server. ClientRejected, InsufficientScope, TokenResponseInvalid, …
    /// </exception>
    public static async Task<(string IdJag, IReadOnlyList<string> Scopes)> RequestIdJagAsync(RestrictedHttpClient http, string tokenEndpoint, string provider,
        ClientIdentity client, string idToken, string audience, string resource, IReadOnlyList<string> scopes, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var request = new TokenExchangeTokenRequest
        {
            Address = tokenEndpoint,
            RequestedTokenType = IdJag,
            SubjectToken = idToken,
            SubjectTokenType = IdTokenType,
            Audience = audience,
            Resource = resource,
            Scope = scopes.Count > 0 ? Discovery.Scopes.Join(scopes) : null,
        };
        client.Sign(request, provider, time);
        using var response = await http.Protocol.RequestTokenExchangeTokenAsync(request, cancellationToken).ConfigureAwait(false);
        if (TokenSet.IsFailure(response))
        {
            throw Refused(TokenSet.Refused(response, [idToken, request.ClientAssertion?.Value, .. client.Proofs]), provider);
        }
        if (response.Json is not { ValueKind: System.Text.Json.JsonValueKind.Object } json)
        {
            throw TokenSet.Unusable("it is not a JSON object");
        }
        // RFC 8693 section 2.2.1: whatever else it gave, an access token perhaps, must not be shown to the server's issuer.
        if (TokenSet.Text(json, "issued_token_type") is not { } type || type != IdJag)
        {
            throw NoIdJags(provider, "It gave a token of another type.");
        }
        return TokenSet.Text(json, "access_token") is { Length: > 0 } idJag
            ? (idJag, TokenSet.GivenScopes(json, scopes))
            : throw TokenSet.Unusable("it has no ID-JAG");
    }

    /// <summary>What to tell where a provider does not do what enterprise-managed authorization needs.</summary>
    internal static McpAuthException NoIdJags(string provider, string why) => new(ErrorReason.TokenResponseInvalid,
        $"The identity provider {UntrustedText.Sanitize(provider)} issues no ID-JAGs (RFC 8693), which sign in to servers of the organisation. {why}".TrimEnd(),
        $"Ask whoever runs it to let this client exchange ID tokens for them; until then: {new RemoveIdentityProviderStep()}");

    private static McpAuthException Refused(McpAuthException e, string provider)
    {
        var (reason, what) = e.OAuthError switch
        {
            "invalid_grant" => (ErrorReason.AuthenticationRequired, "does not accept the ID token it gave"),
            "access_denied" or "invalid_target" => (ErrorReason.AuthorizationDenied, "does not let you use this server"),
            "invalid_client" or "unauthorized_client" => (ErrorReason.ClientRejected, "does not let this client ask for other servers' tokens"),
            "unsupported_grant_type" or "unsupported_token_type" => (ErrorReason.TokenResponseInvalid, "issues no ID-JAGs"),
            _ => (e.Reason, "refused"),
        };
        return new McpAuthException(reason, $"The identity provider {UntrustedText.Sanitize(provider)} {what}. {e.Message}", reason switch
        {
            ErrorReason.AuthorizationDenied or ErrorReason.ClientRejected => "Ask whoever runs the identity provider.",
            _ => e.OAuthError is "unsupported_grant_type" or "unsupported_token_type" ? NoIdJags(provider, "").Remedy : e.Remedy,
        }, e)
        {
            OAuthError = e.OAuthError,
            StatusCode = e.StatusCode,
        };
    }
}
