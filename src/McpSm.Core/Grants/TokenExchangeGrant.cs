using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>
/// Exchanges an ID token for an ID-JAG at an identity provider (RFC 8693). The issuer of one server accepts the ID-JAG as a sign-in
/// (draft-ietf-oauth-identity-assertion-authz-grant section 4; rule 34 of docs/rules.md).
/// </summary>
internal static class TokenExchangeGrant
{
    /// <summary>The type of an ID-JAG.</summary>
    public const string IdJag = "urn:ietf:params:oauth:token-type:id-jag";

    private const string IdTokenType = "urn:ietf:params:oauth:token-type:id_token";

    /// <summary>Requests an ID-JAG.</summary>
    /// <remarks>
    /// <paramref name="provider"/> is the issuer identifier of the identity provider, and <paramref name="client"/> is our client there, which
    /// the ID token was issued to. <paramref name="audience"/> is the issuer of the server, and <paramref name="resource"/> is the server.
    /// </remarks>
    /// <returns>The ID-JAG, which is a bearer secret for one use, and its scopes.</returns>
    /// <exception cref="McpAuthException">
    /// AuthenticationRequired: the ID token is no longer accepted. AuthorizationDenied: the organisation does not allow this person or this
    /// client to use the server. ClientRejected, InsufficientScope, TokenResponseInvalid, …
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
        // RFC 8693 section 2.2.1: a token of another type, such as an access token, must not be sent to the issuer of the server.
        if (TokenSet.Text(json, "issued_token_type") is not { } type || type != IdJag)
        {
            throw NoIdJags(provider, "It returned a token of another type.");
        }
        return TokenSet.Text(json, "access_token") is { Length: > 0 } idJag
            ? (idJag, TokenSet.GivenScopes(json, scopes))
            : throw TokenSet.Unusable("it has no ID-JAG");
    }

    /// <summary>Creates the error for a provider that does not support enterprise-managed authorization.</summary>
    internal static McpAuthException NoIdJags(string provider, string reason) => new(ErrorReason.TokenResponseInvalid,
        $"The identity provider {UntrustedText.Sanitize(provider)} does not issue ID-JAGs (RFC 8693), which sign in to its servers. {reason}".TrimEnd(),
        $"Ask its operator to let this client exchange ID tokens for ID-JAGs. Until then: {new RemoveIdentityProviderStep()}");

    private static McpAuthException Refused(McpAuthException e, string provider)
    {
        var (reason, outcome) = e.OAuthError switch
        {
            "invalid_grant" => (ErrorReason.AuthenticationRequired, "does not accept the ID token that it issued"),
            "access_denied" or "invalid_target" => (ErrorReason.AuthorizationDenied, "does not allow you to use this server"),
            "invalid_client" or "unauthorized_client" => (ErrorReason.ClientRejected, "does not allow this client to request tokens for servers"),
            "unsupported_grant_type" or "unsupported_token_type" => (ErrorReason.TokenResponseInvalid, "does not issue ID-JAGs"),
            _ => (e.Reason, "refused the request"),
        };
        return new McpAuthException(reason, $"The identity provider {UntrustedText.Sanitize(provider)} {outcome}. {e.Message}", reason switch
        {
            ErrorReason.AuthorizationDenied or ErrorReason.ClientRejected => "Ask the operator of the identity provider.",
            _ => e.OAuthError is "unsupported_grant_type" or "unsupported_token_type" ? NoIdJags(provider, "").Remedy : e.Remedy,
        }, e)
        {
            OAuthError = e.OAuthError,
            StatusCode = e.StatusCode,
        };
    }
}
