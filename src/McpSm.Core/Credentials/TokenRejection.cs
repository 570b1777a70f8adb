using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>
/// Takes the word of a program that the server refused its token (RFC 6750 section 3.1) before its time: the token counts as
/// expired, in every process, and the next call renews it.
/// </summary>
internal sealed class TokenRejection(AppEnvironment environment, CredentialStore store)
{
    /// <param name="token">The token that was refused.</param>
    /// <returns>Whether it is the one that is kept; otherwise another has already taken its place, and nothing was changed.</returns>
    /// <exception cref="McpAuthException">InvalidValue: it is no token. AuthenticationRequired: nothing can renew it.</exception>
    public async Task<bool> RunAsync(McpServer server, string token, CancellationToken cancellationToken)
    {
        token = SecretText.WithoutLineEnd(token);
        if (BearerToken.Fault(token) is { } fault)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"That is no token that was sent: {fault}.", "Give the refused token and nothing else.")
            { Server = server.Name };
        }
        using var held = await store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        var item = await store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if ((item?.Token ?? server.Plaintext.BearerToken) is not { } kept)
        {
            throw CredentialRemedy.SignInNeeded(server, item);
        }
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(kept), Encoding.UTF8.GetBytes(token)))
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
            var past = store.Index.Read(server.Id);
            var issued = oauth.IssuedAt < now ? oauth.IssuedAt : now;
            item = item with { OAuth = oauth with { IssuedAt = issued, ExpiresAt = now } };
            await store.ReplaceAsync(server, item, CancellationToken.None).ConfigureAwait(false);
            // The refresh token is the same, and what is known of it stays true.
            await store.ChangeIndexAsync(server, item, f => f with
            {
                RenewalUncertain = past?.RenewalUncertain == true,
                RenewalBegan = past?.RenewalBegan,
                RenewalRefused = past?.RenewalRefused,
                RenewalFailed = past?.RenewalFailed,
            }).ConfigureAwait(false);
        }
        return oauth.CanRenew ? true : throw new McpAuthException(ErrorReason.AuthenticationRequired,
            $"The token of '{server.Name}' counts as refused now, and the issuer gave no refresh token to renew it with.", CredentialRemedy.ForNewCredential(server))
        { Server = server.Name };
    }
}
