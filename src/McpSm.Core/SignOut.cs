using McpSm.Core.Credentials;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>Ends credentials: at the issuer where it can, here in any case (rule 38).</summary>
internal sealed class SignOut(CredentialStore store, Revoking revoking)
{
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
            failure = local ? null : await revoking.RunAsync(server, raw.OAuth, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Whatever the issuer does, and if the person loses patience with it: here the credential ends.
            var left = raw with { OAuth = null, BearerToken = keepBearer ? raw.BearerToken : null };
            await (left.IsEmpty ? store.RemoveAsync(server, CancellationToken.None)
                : store.ReplaceAsync(server, left, CancellationToken.None)).ConfigureAwait(false);
        }
        return new DisconnectResult(raw.OAuth is not null, hasBearer, failure);
    }
}
