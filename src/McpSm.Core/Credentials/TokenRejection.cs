using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>
/// Handles the report of a program that the server rejected its token (RFC 6750 section 3.1) before the token expired. The token then
/// counts as expired in every process, and the next call renews it.
/// </summary>
internal sealed class TokenRejection(AppEnvironment environment, CredentialStore store)
{
    /// <summary>Marks the token as expired.</summary>
    /// <param name="server">The server that rejected the token.</param>
    /// <param name="token">The token that was rejected.</param>
    /// <param name="cancellationToken">Cancels the wait for the lock.</param>
    /// <returns>Whether it is the stored token. If false, another token has already replaced it, and nothing was changed.</returns>
    /// <exception cref="McpAuthException">InvalidValue: the text is not a token. AuthenticationRequired: the token cannot be renewed.</exception>
    public async Task<bool> RunAsync(McpServer server, string token, CancellationToken cancellationToken)
    {
        token = SecretText.WithoutLineEnd(token);
        if (BearerToken.Fault(token) is { } fault)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"The given text is not a token: {fault}.", "Give the rejected token and nothing else.")
            { Server = server.Name };
        }
        using var fileLock = await store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        var item = await store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if ((item?.Token ?? server.Plaintext.BearerToken) is not { } stored)
        {
            throw CredentialRemedy.SignInNeeded(server, item);
        }
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(stored), Encoding.UTF8.GetBytes(token)))
        {
            return false;
        }
        if (item is not { BearerToken: null, OAuth: { } oauth })
        {
            throw CredentialRemedy.SignInNeeded(server, item);
        }
        var now = environment.Time.GetUtcNow();
        if (oauth.ExpiresAt is not { } end || end > now)
        {
            var previous = store.Index.Read(server.Id);
            var issued = oauth.IssuedAt < now ? oauth.IssuedAt : now;
            item = item with { OAuth = oauth with { IssuedAt = issued, ExpiresAt = now } };
            await store.ReplaceAsync(server, item, CancellationToken.None).ConfigureAwait(false);
            // The refresh token is the same, so the history of its renewals still applies.
            await store.ChangeIndexAsync(server, item, entry => entry with
            {
                RenewalUncertain = previous?.RenewalUncertain == true,
                RenewalBegan = previous?.RenewalBegan,
                RenewalRefused = previous?.RenewalRefused,
                RenewalFailed = previous?.RenewalFailed,
            }).ConfigureAwait(false);
        }
        return oauth.CanRenew ? true : throw new McpAuthException(ErrorReason.AuthenticationRequired,
                $"The token of '{server.Name}' is now marked as rejected, and the issuer gave no refresh token to renew it.",
            CredentialRemedy.ForNewCredential(server))
        { Server = server.Name };
    }
}
