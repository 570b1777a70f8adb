using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>
/// The one way in which every grant asks the token endpoint: as a client, with a proof where tokens are to be bound
/// (RFC 9449 section 5), and with the issuer's nonce where it wants one in there (section 8).
/// </summary>
internal static class TokenEndpointClient
{
    /// <summary>
    /// Sends the request. It is sent again, once for each reason, where the issuer wants a key or a nonce before it looks
    /// at what is in it, or does not know the client by the method of its secret: nothing of it is spent by then (RFC 6749
    /// section 3.2.1 has the client authenticated first).
    /// </summary>
    /// <param name="send">The library's method for this kind of request; it works on a copy.</param>
    /// <param name="issuer">The issuer's identifier.</param>
    /// <param name="scopes">Those that were asked for, which hold where the answer names none.</param>
    /// <param name="secrets">The secrets in the request, beside the client's own.</param>
    /// <returns>The tokens, the key that they are bound to, and the client with the method that worked.</returns>
    /// <exception cref="McpAuthException">The reasons of <see cref="TokenSet.Read"/> and <see cref="ClientIdentity.Sign"/>.</exception>
    public static async Task<TokenSet> SendAsync<TRequest>(this ClientIdentity client, TRequest request,
        Func<TRequest, CancellationToken, Task<TokenResponse>> send, string issuer, SenderConstraint constraint, IReadOnlyList<string> scopes,
        TimeProvider time, IReadOnlyList<string?> secrets, CancellationToken cancellationToken) where TRequest : ProtocolRequest
    {
        var key = constraint.Key ?? (client.IsDPoPBound && constraint.IsAllowed ? DPoPKey.Create() : null);
        var endpoint = new Uri(request.Address!);
        McpAuthException? unknown = null;
        for (var (keyAsked, nonceAsked) = (key is not null || !constraint.IsAllowed, false); ;)
        {
            // Each time anew: an assertion is taken once, and so is a proof.
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
            if (!nonceAsked && key is not null && error == OidcConstants.TokenErrors.UseDPoPNonce && DPoPNonceCache.Remember(endpoint, response.HttpResponse!) is not null)
            {
                nonceAsked = true;
                continue;
            }
            List<string?> sent = [.. secrets, request.ClientAssertion?.Value, request.DPoPProofToken, .. client.Proofs];
            if (client.WithOtherMethod is { } other && ClientRefusal.Is(response))
            {
                unknown = TokenSet.Refused(response, sent);
                client = other;
                continue;
            }
            if (unknown is not null && ClientRefusal.Is(response))
            {
                // Refused by both methods: what the issuer said about the one that it prefers is the reason to tell.
                throw unknown;
            }
            return TokenSet.Read(response, scopes, time.GetUtcNow(), key, constraint.IsRequired, sent) with { Client = client.Proven };
        }
    }
}
