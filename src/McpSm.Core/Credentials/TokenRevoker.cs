using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>Revokes the tokens of a credential at their issuer (rule 38 of docs/rules.md).</summary>
/// <remarks><c>limit</c> is the time for the revocation of one token. The default is five seconds.</remarks>
internal sealed class TokenRevoker(AppEnvironment environment, IProgress<string>? progress = null, TimeSpan? limit = null)
{
    // A command should not wait long for an unreachable issuer. The credential is removed only afterwards.
    private static readonly TimeSpan UsualLimit = TimeSpan.FromSeconds(5);

    /// <summary>Revokes the tokens. A failure is returned and not thrown, because the credential is removed in any case.</summary>
    /// <remarks>
    /// <paramref name="server"/> is the server as configured now. If the user names the issuer there, its endpoint may be in a private network.
    /// </remarks>
    /// <returns>Why the issuer did not confirm; null if it did, or if there is nothing to revoke.</returns>
    public async Task<string?> RunAsync(McpServer server, OAuthCredential? credential, CancellationToken cancellationToken)
    {
        if (credential is null)
        {
            return null;
        }
        if (credential is not { RevocationEndpoint: { } endpoint, Issuer: { } issuer })
        {
            return "The issuer does not support revocation. Its tokens stay valid until they expire.";
        }
        if (!UrlPolicy.TryParse(credential.Resource, out var resource) || !UrlPolicy.TryParse(issuer, out var issuerUri))
        {
            return "The issuer or resource in the vault is damaged. The tokens stay valid until they expire.";
        }
        try
        {
            // Send the tokens only to the issuer that gave them, even if the server has moved.
            var policy = new UrlPolicy(resource, issuerUri) { Network = environment.Network };
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
