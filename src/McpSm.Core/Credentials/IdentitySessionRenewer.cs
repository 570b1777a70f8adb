using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interruption;

namespace McpSm.Core.Credentials;

/// <summary>
/// Renews the session at an identity provider. Like <see cref="TokenRenewer"/>, it renews in one transaction under a lock: many servers
/// share the session, and its refresh token may be usable only once.
/// </summary>
internal sealed class IdentitySessionRenewer(AppEnvironment environment, IdentitySessionStore store, IProgress<string>? progress = null)
{
    private static readonly TimeSpan MetadataLifetime = TimeSpan.FromHours(24);

    /// <summary>Returns a session whose ID token is valid, and renews it first if necessary. No person is asked.</summary>
    /// <remarks><paramref name="always"/> sends the refresh token even if the provider refused it a short time ago.</remarks>
    /// <exception cref="McpAuthException">AuthenticationRequired: no session exists, or it has ended. ServerUnreachable, the vault's reasons, …</exception>
    public async Task<IdentitySession> CurrentAsync(string provider, bool always, CancellationToken cancellationToken)
    {
        RenewalHistory ReadHistory() => RenewalHistory.Read(store.Index(provider));
        var subject = $"the session at the identity provider {UntrustedText.Sanitize(provider)}";
        var session = (await store.ReadAsync(provider, cancellationToken).ConfigureAwait(false))?.Session ?? throw NotSignedIn(provider);
        if (!IsDue(session))
        {
            return session;
        }
        using var exchange = environment.Exchanges.Prepare(cancellationToken);
        var historyBefore = ReadHistory();
        using var fileLock = await store.LockAsync(provider, cancellationToken, () => ReadHistory().Hangs(subject)).ConfigureAwait(false);
        var item = await store.ReadAsync(provider, cancellationToken).ConfigureAwait(false);
        session = item?.Session ?? throw NotSignedIn(provider);
        if (!IsDue(session))
        {
            return session;
        }
        if (session.RefreshToken is not { } refreshToken)
        {
            return session.ExpiresAt > environment.Time.GetUtcNow() ? session : throw Ended(provider, "The provider gave no refresh token.", null);
        }
        var history = ReadHistory();
        if (fileLock.Waited && history.EndedSince(historyBefore, subject) is { } failure)
        {
            throw failure;
        }
        var now = environment.Time.GetUtcNow();
        if (history.Refused is { } refused && refused.AppliesTo(now, Fingerprint(item)) && (!always || (fileLock.Waited && refused != historyBefore.Refused)))
        {
            return session.ExpiresAt > now ? session
                : throw Ended(provider, $"The provider refused to renew it at {refused.At.ToLocalTime():HH:mm} ({refused.Describe}). "
                    + $"Mcpsm does not ask again before {(refused.At + RefusedRenewal.RetryDelay).ToLocalTime():HH:mm}.", null);
        }
        try
        {
            return await RenewAsync(provider, item, session, refreshToken, exchange, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (FailedRenewal.Create(e, exchange.IsRunning, environment.Time.GetUtcNow()) is { } failed)
        {
            await store.ChangeIndexAsync(item, entry => entry with { RenewalFailed = failed }).ConfigureAwait(false);
            throw;
        }
        catch (McpAuthException e) when (e is { StatusCode: not null, OAuthError: not "invalid_grant" } && session.ExpiresAt > now)
        {
            // The renewal was early, so the ID token is still valid.
            return session;
        }
    }

    /// <summary>Identifies what a refusal applies to, from the item alone.</summary>
    private static string Fingerprint(IdentityProviderSecrets item) => RefusedRenewal.FingerprintOf(item.Session?.RefreshToken ?? "",
        item.Issuer, item.Session?.TokenEndpoint, item.Session?.Client.Id, item.Session?.Client.Secret, item.ClientId, item.ClientSecret);

    private async Task<IdentitySession> RenewAsync(string provider, IdentityProviderSecrets item, IdentitySession session, string refreshToken,
        TokenExchange exchange, CancellationToken cancellationToken)
    {
        var policy = UrlPolicy.ForIssuer(environment.Network, provider, session.TokenEndpoint);
        using var http = new RestrictedHttpClient(policy, progress);
        session = await WithFreshMetadataAsync(session, provider, http, policy, cancellationToken).ConfigureAwait(false);
        if (item.ClientSecret is { } secret && item.ClientId == session.Client.Id && session.Client.Secret is not null)
        {
            // The user may have replaced the secret since the sign-in.
            session = session with { Client = session.Client with { Secret = secret } };
        }
        progress?.Report($"Renewing the session at the identity provider {UntrustedText.Sanitize(provider)}.");
        var renewed = await SpendAsync(provider, item, session, refreshToken, http, exchange).ConfigureAwait(false);
        // Not cancellable: the provider will not give these tokens again.
        await store.StoreAsync(item with { Session = renewed }, null, new SignInToIdentityProviderStep(), isRenewal: true).ConfigureAwait(false);
        exchange.Complete();
        return renewed.ExpiresAt > environment.Time.GetUtcNow() ? renewed : throw Ended(provider, "The provider gives no new ID token.", null);
    }

    /// <summary>Creates the error for a provider that a person must sign in at. The caller adds the command to run.</summary>
    internal static McpAuthException NotSignedIn(string provider) => new(ErrorReason.AuthenticationRequired,
        $"You are not signed in at the identity provider {UntrustedText.Sanitize(provider)}.");

    private static McpAuthException Ended(string provider, string why, McpAuthException? e) => new(ErrorReason.AuthenticationRequired,
        $"The session at the identity provider {UntrustedText.Sanitize(provider)} has ended. {why}", innerException: e)
    { OAuthError = e?.OAuthError, StatusCode = e?.StatusCode };

    private bool IsDue(IdentitySession session)
    {
        var now = environment.Time.GetUtcNow();
        return session.ExpiresAt - now <= TokenRenewer.Margin(TimeSpan.FromSeconds(60), session.IssuedAt, session.ExpiresAt)
            || session.IssuedAt - now > TimeSpan.FromMinutes(5);
    }

    private async Task<IdentitySession> SpendAsync(string provider, IdentityProviderSecrets item, IdentitySession session, string refreshToken,
        RestrictedHttpClient http, TokenExchange exchange)
    {
        var interruptedSince = store.Index(provider)?.RenewalBegan;
        // Like the renewal of a server's token: check the vault and record the attempt before the refresh token is spent.
        using var reserve = await store.RehearseAsync(item, exchange.Token).ConfigureAwait(false);
        exchange.Begin();
        await store.ChangeIndexAsync(item, entry => entry with { RenewalBegan = environment.Time.GetUtcNow() }).ConfigureAwait(false);
        try
        {
            var tokens = await RefreshTokenGrant.RenewAsync(http, session.TokenEndpoint, provider, session.Client, refreshToken, null,
                session.Scopes, SenderConstraint.Bearer, environment.Time, exchange.Token).ConfigureAwait(false);
            if (tokens.IdToken is null)
            {
                // OpenID Connect Core section 12.2 allows an answer without an ID token. Its refresh token must be stored all the same.
                return session with { RefreshToken = tokens.RefreshToken };
            }
            var identity = IdTokenValidator.Validate(tokens.IdToken, provider, session.Client.Id, null, environment.Time.GetUtcNow());
            return identity.Subject == session.Subject ? session.With(tokens, identity)
                : throw await EndAsync(provider, item, "Its renewal returned the ID token of another person.", null).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.RefreshTokenRejected && RefreshTokenGrant.IsOfClient(e)
            && session.Client is { Kind: ClientKind.PreRegistered, Secret: not null })
        {
            await store.ChangeIndexAsync(item, entry => entry with { RenewalBegan = interruptedSince }).ConfigureAwait(false);
            throw RefreshTokenGrant.ClientRejected(e,
                new UseIdentityProviderStep(provider, new StepOption(StepOptionKind.ClientId, session.Client.Id), StepOptionKind.ClientSecret));
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.RefreshTokenRejected)
        {
            var reason = e.Message + (interruptedSince is null ? "" : " An earlier renewal was interrupted before its answer arrived, and may have spent it.");
            throw await EndAsync(provider, item, reason, e).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e is { OutcomeUnknown: false, Reason: not (ErrorReason.AuthenticationRequired or ErrorReason.IssuerMismatch) })
        {
            var refused = RefusedRenewal.Create(e, environment.Time.GetUtcNow(), Fingerprint(item));
            await store.ChangeIndexAsync(item, entry => entry with { RenewalBegan = interruptedSince, RenewalRefused = refused ?? entry.RenewalRefused })
                .ConfigureAwait(false);
            if (refused is null)
            {
                throw;
            }
            throw Ended(provider, e.Message, e);
        }
    }

    /// <summary>Removes a session that can no longer be renewed. The client secret of the user stays.</summary>
    private async Task<McpAuthException> EndAsync(string provider, IdentityProviderSecrets item, string why, McpAuthException? e)
    {
        await store.ReplaceAsync(item with { Session = null }, CancellationToken.None).ConfigureAwait(false);
        return Ended(provider, why, e);
    }

    private async Task<IdentitySession> WithFreshMetadataAsync(IdentitySession session, string provider, RestrictedHttpClient http, UrlPolicy policy,
        CancellationToken cancellationToken)
    {
        var now = environment.Time.GetUtcNow();
        if (now - session.MetadataReadAt is var age && age >= TimeSpan.Zero && age < MetadataLifetime)
        {
            return session;
        }
        try
        {
            var metadata = await AuthorizationServerMetadata.FindAsync(http, policy, provider, cancellationToken).ConfigureAwait(false);
            return session with { TokenEndpoint = metadata.TokenEndpoint, RevocationEndpoint = metadata.RevocationEndpoint, MetadataReadAt = now };
        }
        catch (McpAuthException e) when (e.Reason is ErrorReason.ServerUnreachable or ErrorReason.MetadataInvalid or ErrorReason.ProtocolViolation)
        {
            // The last known endpoints of this provider still work more often than not.
            return session;
        }
    }
}
