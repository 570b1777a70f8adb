using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;

namespace McpSm.Core.Credentials;

/// <summary>
/// The grant of enterprise-managed authorization (rule 34 of docs/rules.md): the session at the identity provider gives an ID-JAG for one
/// server, and that the server's access token. The ID-JAG is used at once and kept nowhere.
/// </summary>
public sealed class IdentityAssertionGrant(AppEnvironment environment, IdentitySessionRenewer sessions, IProgress<string>? progress = null)
{
    /// <param name="http">For the server's issuer. The identity provider, which the user named, has a policy of its own.</param>
    /// <param name="provider">The identity provider's issuer identifier.</param>
    /// <param name="issuer">The server's issuer.</param>
    /// <param name="client">As the server's issuer knows us.</param>
    /// <param name="always">Renews the session also if the provider refused that a short time ago.</param>
    /// <exception cref="McpAuthException">
    /// AuthenticationRequired: a person must sign in at the provider. AssertionRejected: the server's issuer does not trust it.
    /// The reasons of <see cref="TokenExchangeGrant"/> and <see cref="JwtBearerGrant"/>.
    /// </exception>
    public async Task<TokenSet> RequestAsync(RestrictedHttpClient http, string provider, string issuer, string tokenEndpoint, ClientIdentity client,
        string resource, IReadOnlyList<string> scopes, SenderConstraint constraint, CancellationToken cancellationToken, bool always = false)
    {
        var session = await sessions.CurrentAsync(provider, always, cancellationToken).ConfigureAwait(false);
        using var there = new RestrictedHttpClient(UrlPolicy.ForIssuer(environment.Network, provider, session.TokenEndpoint), progress);
        progress?.Report($"Asking the identity provider {UntrustedText.Sanitize(provider)} to vouch for you at {UntrustedText.Sanitize(issuer)}.");
        var (idJag, granted) = await TokenExchangeGrant.RequestIdJagAsync(there, session.TokenEndpoint, provider, session.Client, session.IdToken,
            issuer, resource, scopes, environment.Time, cancellationToken).ConfigureAwait(false);
        return await JwtBearerGrant.RequestAsync(http, tokenEndpoint, issuer, client, idJag, resource, granted, constraint, environment.Time, cancellationToken)
            .ConfigureAwait(false);
    }
}
