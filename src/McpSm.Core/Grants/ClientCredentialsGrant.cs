using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>The client credentials grant (RFC 6749 section 4.4, rule 33 of docs/rules.md). A renewal repeats it.</summary>
internal static class ClientCredentialsGrant
{
    /// <summary>Requests an access token.</summary>
    /// <exception cref="McpAuthException">ClientRejected, InsufficientScope, TokenResponseInvalid, …</exception>
    public static async Task<TokenSet> RequestAsync(RestrictedHttpClient http, string tokenEndpoint, string issuer, ClientIdentity client,
        string? resource, IReadOnlyList<string> scopes, SenderConstraint constraint, TimeProvider time, CancellationToken cancellationToken)
    {
        using var request = new ClientCredentialsTokenRequest
        {
            Address = tokenEndpoint,
            Scope = scopes.Count > 0 ? Discovery.Scopes.Join(scopes) : null,
            Resource = resource is null ? [] : [resource],
        };
        var tokens = await client.SendAsync(request, http.Protocol.RequestClientCredentialsTokenAsync, issuer, constraint, scopes, time, [], cancellationToken)
            .ConfigureAwait(false);
        // RFC 6749 section 4.4.3: the response should have no refresh token. Ignore one that comes.
        return tokens with { RefreshToken = null };
    }
}
