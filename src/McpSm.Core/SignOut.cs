using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>Ends credentials: at the issuer where it can, here in any case (rule 38).</summary>
/// <param name="limit">How long the revocation of one token may take; five seconds where null.</param>
internal sealed class SignOut(Home home, CredentialStore store, TimeSpan? limit = null)
{
    // Nobody wants to wait long for an issuer that is gone, and until then the credential is still here.
    private static readonly TimeSpan RevocationLimit = TimeSpan.FromSeconds(5);

    /// <param name="local">Does not tell the issuer.</param>
    /// <param name="keepBearer">Leaves a bearer token, which no issuer knows of.</param>
    public async Task<DisconnectResult> RunAsync(McpServer server, bool local, bool keepBearer, CancellationToken cancellationToken)
    {
        using var held = await store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        var raw = await store.ReadRawAsync(server, cancellationToken).ConfigureAwait(false);
        var hasBearer = raw?.BearerToken is not null || server.Plaintext.BearerToken is not null;
        if (raw is null || (raw.OAuth is null && (keepBearer || raw.BearerToken is null)))
        {
            return new DisconnectResult(false, hasBearer, null);
        }
        string? failure = null;
        try
        {
            failure = local ? null : await RevokeAsync(raw.OAuth, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Whatever the issuer does, and if the person loses patience with it: here the credential ends.
            var left = raw with { OAuth = null, BearerToken = keepBearer ? raw.BearerToken : null };
            await (left.IsEmpty ? store.RemoveAsync(server, CancellationToken.None)
                : store.WriteAsync(server, left, null, CancellationToken.None)).ConfigureAwait(false);
        }
        return new DisconnectResult(raw.OAuth is not null, hasBearer, failure);
    }

    /// <summary>Revokes; whatever goes wrong here is reported, and keeps nothing alive.</summary>
    /// <returns>Why the issuer did not confirm; null where it did, or there is nothing to revoke.</returns>
    public async Task<string?> RevokeAsync(OAuthCredential? credential, CancellationToken cancellationToken)
    {
        if (credential is null)
        {
            return null;
        }
        if (credential is not { RevocationEndpoint: { } endpoint, Issuer: { } issuer })
        {
            return "The issuer offers no revocation; its tokens end when they expire.";
        }
        try
        {
            // The tokens go to the issuer that gave them, wherever the server's URL points by now.
            using var http = new SafeHttp(new UrlPolicy(new Uri(credential.Resource), new Uri(issuer)), limit ?? RevocationLimit);
            return await Revocation.RevokeAsync(http, endpoint, issuer, credential.Client, credential.RefreshToken,
                credential.AccessToken, home.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            return e.Message;
        }
    }
}
