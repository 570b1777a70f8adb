using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;

namespace McpSm.Core.Credentials;

/// <summary>
/// The grant of enterprise-managed authorization (rule 34 of docs/rules.md). It exchanges the session at the identity provider for an
/// ID-JAG, and the ID-JAG for an access token of one server. The ID-JAG is used at once and never stored.
/// </summary>
internal sealed class IdentityAssertionGrant(AppEnvironment environment, IdentitySessionRenewer sessions, IProgress<string>? progress = null)
{
    /// <summary>Requests an access token of one server.</summary>
    /// <remarks>
    /// <paramref name="http"/> is for the issuer of the server; requests to the identity provider have a policy of their own.
    /// <paramref name="provider"/> is the issuer identifier of the identity provider, and <paramref name="client"/> is our client at the
    /// issuer of the server. <paramref name="always"/> renews the session even if the provider refused that a short time ago.
    /// </remarks>
    /// <exception cref="McpAuthException">
    /// AuthenticationRequired: a person must sign in at the provider. AssertionRejected: the issuer of the server does not trust the provider.
    /// The reasons of <see cref="TokenExchangeGrant"/> and <see cref="JwtBearerGrant"/>.
    /// </exception>
    public async Task<TokenSet> RequestAsync(RestrictedHttpClient http, string provider, string issuer, string tokenEndpoint, ClientIdentity client,
        string resource, IReadOnlyList<string> scopes, SenderConstraint constraint, CancellationToken cancellationToken, bool always = false)
    {
        var session = await sessions.CurrentAsync(provider, always, cancellationToken).ConfigureAwait(false);
        using var providerHttp = new RestrictedHttpClient(UrlPolicy.ForIssuer(environment.Network, provider, session.TokenEndpoint), progress);
        progress?.Report($"Asking the identity provider {UntrustedText.Sanitize(provider)} for an assertion for {UntrustedText.Sanitize(issuer)}.");
        var (idJag, granted) = await TokenExchangeGrant.RequestIdJagAsync(providerHttp, session.TokenEndpoint, provider, session.Client, session.IdToken,
            issuer, resource, scopes, environment.Time, cancellationToken).ConfigureAwait(false);
        return await JwtBearerGrant.RequestAsync(http, tokenEndpoint, issuer, client, idJag, resource, granted, constraint, environment.Time, cancellationToken)
            .ConfigureAwait(false);
    }
}
