using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>
/// Sends the token requests of all grants. It authenticates the client, adds a proof if tokens are to be bound (RFC 9449 section 5), and
/// adds the nonce of the issuer to it if the issuer requires one (section 8).
/// </summary>
internal static class TokenEndpointClient
{
    /// <summary>
    /// Sends the request. It is sent again, once for each reason, if the issuer requires a key or a nonce, or does not accept the
    /// authentication method of the client. Issuers check these first (RFC 6749 section 3.2.1), so the request has spent nothing by then.
    /// </summary>
    /// <remarks>
    /// <paramref name="send"/> is the method of the library for this kind of request; it works on a copy. <paramref name="scopes"/> are the
    /// requested scopes, which apply if the response names none. <paramref name="secrets"/> are the secrets of the request, besides those of
    /// the client.
    /// </remarks>
    /// <returns>The tokens, the key that they are bound to, and the client with the method that worked.</returns>
    /// <exception cref="McpAuthException">The reasons of
    /// <see cref="TokenSet.Read(TokenResponse, IReadOnlyList{string}, DateTimeOffset, DPoPKey?, bool, IReadOnlyList{string?})"/> and
    /// <see cref="ClientIdentity.Sign"/>.</exception>
    public static async Task<TokenSet> SendAsync<TRequest>(this ClientIdentity client, TRequest request,
        Func<TRequest, CancellationToken, Task<TokenResponse>> send, string issuer, SenderConstraint constraint, IReadOnlyList<string> scopes,
        TimeProvider time, IReadOnlyList<string?> secrets, CancellationToken cancellationToken) where TRequest : ProtocolRequest
    {
        var key = constraint.Key ?? (client.IsDPoPBound && constraint.IsAllowed ? DPoPKey.Create() : null);
        var endpoint = new Uri(request.Address!);
        McpAuthException? firstRefusal = null;
        for (var (keyAsked, nonceAsked) = (key is not null || !constraint.IsAllowed, false); ;)
        {
            // Sign each attempt again, because an issuer accepts an assertion or a proof only once.
            client.Sign(request, issuer, time);
            request.DPoPProofToken = key is null ? null
                : DPoPProof.Create(key, HttpMethod.Post, endpoint, time.GetUtcNow(), null, DPoPNonceCache.For(endpoint));
            using var response = await send(request, cancellationToken).ConfigureAwait(false);
            var error = TokenSet.Error(response);
            if (!keyAsked && error is OidcConstants.TokenErrors.UseDPoPNonce or OidcConstants.TokenErrors.InvalidDPoPProof)
            {
                keyAsked = true;
                key = DPoPKey.Create();
                continue;
            }
            if (!nonceAsked && key is not null && error == OidcConstants.TokenErrors.UseDPoPNonce
                && DPoPNonceCache.Remember(endpoint, response.HttpResponse!) is not null)
            {
                nonceAsked = true;
                continue;
            }
            List<string?> sent = [.. secrets, request.ClientAssertion?.Value, request.DPoPProofToken, .. client.Proofs];
            if (client.WithOtherMethod is { } other && ClientRefusal.Is(response))
            {
                firstRefusal = TokenSet.Refused(response, sent);
                client = other;
                continue;
            }
            if (firstRefusal is not null && ClientRefusal.Is(response))
            {
                // The issuer refused both methods. Report its error for the preferred method.
                throw firstRefusal;
            }
            return TokenSet.Read(response, scopes, time.GetUtcNow(), key, constraint.IsRequired, sent) with { Client = client.Proven };
        }
    }
}
