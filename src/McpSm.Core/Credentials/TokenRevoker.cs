using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>Tells the issuer of a credential that its tokens are dead (rule 38 of docs/rules.md).</summary>
/// <param name="limit">How long the revocation of one token may take; five seconds where null.</param>
internal sealed class TokenRevoker(AppEnvironment environment, IProgress<string>? progress = null, TimeSpan? limit = null)
{
    // Nobody wants to wait long for an issuer that is gone, and until then the credential is still here.
    private static readonly TimeSpan UsualLimit = TimeSpan.FromSeconds(5);

    /// <summary>Revokes; whatever goes wrong is reported, and keeps nothing alive.</summary>
    /// <param name="server">The server as the user has it now: an issuer that is named there may have its endpoint in a private network.</param>
    /// <returns>Why the issuer did not confirm; null where it did, or there is nothing to revoke.</returns>
    public async Task<string?> RunAsync(McpServer server, OAuthCredential? credential, CancellationToken cancellationToken)
    {
        if (credential is null)
        {
            return null;
        }
        if (credential is not { RevocationEndpoint: { } endpoint, Issuer: { } issuer })
        {
            return "The issuer offers no revocation; its tokens end when they expire.";
        }
        if (!UrlPolicy.TryParse(credential.Resource, out var resource) || !UrlPolicy.TryParse(issuer, out var named))
        {
            return "What the vault holds of the issuer is damaged; its tokens end when they expire.";
        }
        try
        {
            // The tokens go to the issuer that gave them, wherever the server's URL points by now.
            var policy = new UrlPolicy(resource, named) { Network = environment.Network };
            if (server.Issuer == issuer)
            {
                policy.Ask(issuer, endpoint);
            }
            using var http = new RestrictedHttpClient(policy, progress, limit ?? UsualLimit);
            return await RevocationRequest.RevokeAsync(http, endpoint, issuer, credential.Client, credential.RefreshToken,
                credential.AccessToken, environment.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            return e.Message;
        }
    }
}
