using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>Removes credentials, and revokes them at the issuer if it supports that (rule 38 of docs/rules.md).</summary>
internal sealed class SignOutFlow(CredentialStore store, TokenRevoker revoking)
{
    /// <param name="server">The server.</param>
    /// <param name="local">Sends nothing to the issuer.</param>
    /// <param name="keepBearer">Does not remove a bearer token, which the user supplied.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<SignOutResult> RunAsync(McpServer server, bool local, bool keepBearer, CancellationToken cancellationToken)
    {
        using var held = await store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        ServerSecrets? raw;
        try
        {
            raw = await store.ReadRawAsync(server, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e))
        {
            return await RunWithoutVaultAsync(server, keepBearer, cancellationToken).ConfigureAwait(false);
        }
        var hasBearer = raw?.BearerToken is not null || server.Plaintext.BearerToken is not null;
        if (raw is null || (raw.OAuth is null && (keepBearer || raw.BearerToken is null)))
        {
            return new SignOutResult(false, hasBearer, null);
        }
        string? failure = null;
        try
        {
            failure = local ? null : await revoking.RunAsync(server, raw.OAuth, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Remove the credential even if the issuer does not answer and the person cancels the revocation.
            var left = raw with { OAuth = null, BearerToken = keepBearer ? raw.BearerToken : null };
            await EndAsync(server, left).ConfigureAwait(false);
        }
        return new SignOutResult(raw.OAuth is not null, hasBearer, failure);
    }

    private async Task EndAsync(McpServer server, ServerSecrets left)
    {
        try
        {
            await (left.IsEmpty ? store.RemoveAsync(server, CancellationToken.None)
                : store.ReplaceAsync(server, left, CancellationToken.None)).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e))
        {
            // The credential waits in the encrypted file, and its vault is gone.
            await store.RemoveAsync(server, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Removes the index entry of a credential in a vault that is gone. The credential cannot be read, and so not revoked.</summary>
    private async Task<SignOutResult> RunWithoutVaultAsync(McpServer server, bool keepBearer, CancellationToken cancellationToken)
    {
        var kind = store.Index.Read(server.Id)?.Kind ?? CredentialKind.None;
        if (kind == CredentialKind.OAuth || !keepBearer)
        {
            await store.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        }
        return new SignOutResult(kind == CredentialKind.OAuth, kind == CredentialKind.Bearer || server.Plaintext.BearerToken is not null, null);
    }
}
