using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interruption;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>
/// Renewal as one transaction under the server's lock: lock, read again, renew with what was read, write, release.
/// Whoever finds the credential replaced meanwhile uses that one, so that a refresh token is spent once.
/// </summary>
/// <param name="findIssuer">Asks the server who guards it, for a credential whose issuer is not known.</param>
public sealed class TokenRenewer(AppEnvironment environment, CredentialStore store, EntraTokenClient entra, IdentityAssertionGrant identity,
    Func<McpServer, ServerSecrets, RestrictedHttpClient, UrlPolicy, CancellationToken, Task<(string Resource, AuthorizationServerMetadata Issuer)>> findIssuer, IProgress<string>? progress = null)
{
    private static readonly TimeSpan MetadataLifetime = TimeSpan.FromHours(24);

    /// <summary>
    /// Whether it is time: expired, or less left than min(60 s, 10 % of its lifetime); also where the clock was set back
    /// past the hour it was issued at, and so says nothing of its end.
    /// </summary>
    public static bool IsDue(OAuthCredential credential, DateTimeOffset now) => credential.ExpiresAt is { } end
        && (end - now <= Margin(TimeSpan.FromSeconds(60), credential.IssuedAt, end) || credential.IssuedAt - now > TimeSpan.FromMinutes(5));

    /// <summary>The smaller of a span and a tenth of the lifetime.</summary>
    public static TimeSpan Margin(TimeSpan most, DateTimeOffset issued, DateTimeOffset end)
    {
        var tenth = (end - issued) / 10;
        return tenth < most ? tenth : most;
    }

    /// <param name="seen">The credential as first read: where another stands in its place, that one is the answer.</param>
    /// <param name="always">Sends the refresh token also if the issuer refused it a short time ago.</param>
    /// <returns>The credential to use, and what to tell if it could not be kept as it should be.</returns>
    /// <exception cref="McpAuthException">RefreshTokenRejected, ClientRejected, AuthenticationRequired, ServerUnreachable, …</exception>
    public async Task<(OAuthCredential Credential, McpAuthException? NotKept)> RenewAsync(McpServer server, OAuthCredential seen, bool always,
        CancellationToken cancellationToken)
    {
        RenewalHistory Past() => RenewalHistory.Read(store.Index.Read(server.Id));
        var what = $"the token of '{server.Name}'";
        using var exchange = environment.Exchanges.Prepare(cancellationToken);
        var before = Past();
        using var held = await store.LockAsync(server, cancellationToken, () => Past().Hangs(what)).ConfigureAwait(false);
        var item = await store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if (item?.OAuth is not { } current)
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired,
                $"'{server.Name}' was signed out meanwhile.", CredentialRemedy.ForNewCredential(server))
            { Server = server.Name };
        }
        if (current.AccessToken != seen.AccessToken)
        {
            return (current, null);
        }
        if (!current.CanRenew)
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired,
                $"The issuer gave '{server.Name}' no refresh token, so its token cannot be renewed.",
                CredentialRemedy.ForNewCredential(server))
            { Server = server.Name };
        }
        var past = Past();
        if (held.Waited && past.EndedSince(before, what) is { } ended)
        {
            throw ended.For(server.Name);
        }
        if (past.Refused is { } refused && refused.AppliesTo(environment.Time.GetUtcNow(), Fingerprint(server, item)) && (!always || (held.Waited && refused != before.Refused)))
        {
            throw refused.AsError(server, current.Resource);
        }
        try
        {
            return await RenewAsync(server, item, current, always, exchange, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (FailedRenewal.Create(e, exchange.IsRunning, environment.Time.GetUtcNow()) is { } failed)
        {
            await store.ChangeIndexAsync(server, item, f => f with { RenewalFailed = failed }).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What a refusal is of, from the item alone.</summary>
    private static string Fingerprint(McpServer server, ServerSecrets item) => RefusedRenewal.FingerprintOf(item.OAuth?.RefreshToken ?? "",
        server.Issuer, server.ClientId, item.OAuth?.Issuer, item.OAuth?.TokenEndpoint, item.OAuth?.Client.Id, item.OAuth?.Client.Secret, item.ClientSecret);

    private async Task<(OAuthCredential Credential, McpAuthException? NotKept)> RenewAsync(McpServer server, ServerSecrets item, OAuthCredential current,
        bool always, TokenExchange exchange, CancellationToken cancellationToken)
    {
        ServerUrl.RequireSecure(server);
        var policy = server.PolicyIn(environment);
        using var http = new RestrictedHttpClient(policy, progress);
        if (current.Issuer is not null)
        {
            policy.Ask(current.Issuer, current.TokenEndpoint);
        }
        // A refresh token is for the issuer that gave it (rule 7 of docs/rules.md), and of no use once the server trusts another: the server
        // is asked as often as the issuer's own metadata is read anew.
        if (current.Issuer is { } before && (server.Issuer is not null || IsStale(current))
            && await IssuerChangeDetector.FindAsync(http, server, item, before, cancellationToken).ConfigureAwait(false) is { } now)
        {
            throw await DropAsync(server, item, current, now, cancellationToken).ConfigureAwait(false);
        }
        current = current.Issuer is null ? await WithIssuerAsync(server, item, current, http, policy, cancellationToken).ConfigureAwait(false)
            : await WithFreshMetadataAsync(current, current.Issuer, http, policy, cancellationToken).ConfigureAwait(false);
        if (current.Client is { Kind: ClientKind.PreRegistered, Secret: not null } && current.Client.Id == server.ClientId && item.ClientSecret is { } secret)
        {
            // The user may have replaced it since the sign-in.
            current = current with { Client = current.Client with { Secret = secret } };
        }
        // Its own key: the refresh token of a public client is bound to it too (RFC 9449 section 5).
        var constraint = new SenderConstraint(current.DPoPKey, current.RequiresDPoP && server.DPoP != DPoPMode.Never, server.DPoP != DPoPMode.Never);
        progress?.Report($"Renewing the token of '{server.Name}' with {With(current.SignedInBy)}.");
        var renewed = current.With(current.SignedInBy != SignedInBy.Person
            ? await RepeatAsync(server, current, constraint, http, always, cancellationToken).ConfigureAwait(false)
            : await SpendAsync(server, item, current, constraint, current.RefreshToken!, http, exchange).ConfigureAwait(false));
        // Ctrl+C must not lose what the issuer has given for good.
        var failed = await store.StoreAsync(server, item with { OAuth = renewed }, null, isRenewal: true).ConfigureAwait(false);
        if (failed is null)
        {
            exchange.Complete();
        }
        return (renewed, failed?.ToException($"The renewed token of '{server.Name}'",
            failed.Outcome == StorageOutcome.MemoryOnly ? HowToSignIn(server, current) : new RefreshStep(server)));
    }

    private static string With(SignedInBy who) => who switch
    {
        SignedInBy.Client => "the client's own grant",
        SignedInBy.Workload => "the workload's assertion of now",
        SignedInBy.IdentityProvider => "the session at the identity provider",
        _ => "its refresh token",
    };

    /// <summary>Repeats the grant of a client, a workload or an identity provider. Nothing of the server's is spent by asking.</summary>
    private async Task<TokenSet> RepeatAsync(McpServer server, OAuthCredential current, SenderConstraint constraint, RestrictedHttpClient http,
        bool always, CancellationToken cancellationToken)
    {
        try
        {
            return current.IdentityProvider is { } provider
                ? await identity.RequestAsync(http, provider, current.Issuer!, current.TokenEndpoint!, current.Client, current.Resource,
                    current.Scopes, constraint, cancellationToken, always).ConfigureAwait(false)
                : current.Assertion is { } source
                ? await JwtBearerGrant.RequestAsync(http, current.TokenEndpoint!, current.Issuer!, current.Client, ReadAssertion(source, cancellationToken),
                    current.Resource, current.Scopes, constraint, environment.Time, cancellationToken).ConfigureAwait(false)
                : EntraIssuer.Find(current.Issuer) is { } microsoft
                ? await entra.ForClientAsync(server, microsoft, current.Client, current.Scopes, cancellationToken).ConfigureAwait(false)
                : await ClientCredentialsGrant.RequestAsync(http, current.TokenEndpoint!, current.Issuer!, current.Client,
                    current.Resource, current.Scopes, constraint, environment.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason is ErrorReason.ClientRejected or ErrorReason.AssertionRejected or ErrorReason.AuthenticationRequired)
        {
            throw e.For(server.Name, HowToSignIn(server, current));
        }
    }

    /// <exception cref="McpAuthException">AuthenticationRequired: to whoever wants a token, that is what it comes to.</exception>
    private string ReadAssertion(WorkloadAssertionSource source, CancellationToken cancellationToken)
    {
        try
        {
            return source.Read(environment, cancellationToken);
        }
        catch (McpAuthException e)
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired, e.Message, e.Remedy, e);
        }
    }

    /// <summary>Spends the refresh token.</summary>
    private async Task<TokenSet> SpendAsync(McpServer server, ServerSecrets item, OAuthCredential current, SenderConstraint constraint,
        string refreshToken, RestrictedHttpClient http, TokenExchange exchange)
    {
        var cutOff = store.Index.Read(server.Id)?.IsInterrupted == true;
        // Both are written first: whatever would keep the new token from being stored is found before this one is spent, and a
        // process that is killed while the issuer has it leaves word of that.
        using var room = await store.RehearseAsync(server, item, exchange.Token).ConfigureAwait(false);
        exchange.Begin();
        await store.ChangeIndexAsync(server, item, f => f with { RenewalBegan = environment.Time.GetUtcNow() }).ConfigureAwait(false);
        try
        {
            return EntraIssuer.Find(current.Issuer) is { } microsoft
                ? await entra.RenewAsync(server, microsoft, current.Client.Id, current.Scopes, refreshToken, exchange.Token).ConfigureAwait(false)
                : await RefreshTokenGrant.RenewAsync(http, current.TokenEndpoint!, current.Issuer!, current.Client, refreshToken,
                    current.Resource, current.Scopes, constraint, environment.Time, exchange.Token).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.RefreshTokenRejected)
        {
            if (RefreshTokenGrant.IsOfClient(e) && current.Client is { Kind: ClientKind.PreRegistered, Secret: not null })
            {
                // The secret is the user's to replace, and the issuer has not looked at the refresh token.
                await NoteAsync(e).ConfigureAwait(false);
                throw RefreshTokenGrant.ClientRejected(e,
                    new UpdateServerStep(server, new StepOption(StepOptionKind.ClientId, current.Client.Id), StepOptionKind.ClientSecret)).For(server.Name);
            }
            throw await ForgetRefreshTokenAsync(server, item, current, e, cutOff).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or McpAuthException { OutcomeUnknown: true })
        {
            // The issuer may have spent the token. It is kept, since it may not have; the next answer tells.
            await store.ChangeIndexAsync(server, item, f => f with { RenewalUncertain = true, RenewalBegan = null }).ConfigureAwait(false);
            throw;
        }
        catch (McpAuthException e)
        {
            if (await NoteAsync(e).ConfigureAwait(false) is not { } refused)
            {
                throw;
            }
            if (current is { Client.Kind: ClientKind.Dynamic, Issuer: { } issuer } && DoubtfulRefusal.Is(e))
            {
                // The sign-in that comes next would else end on an error page.
                await store.MarkDoubtedAsync(issuer, current.Client.Id, CancellationToken.None).ConfigureAwait(false);
            }
            throw new McpAuthException(ErrorReason.AuthenticationRequired,
                $"The issuer did not renew the token of '{server.Name}'; its refresh token is kept. {e.Message}", refused.Remedy(server, current.Resource), e)
            { Server = server.Name, OAuthError = e.OAuthError, StatusCode = e.StatusCode };
        }

        // The issuer has not spent the token; if it does not take it at all, that is noted.
        async Task<RefusedRenewal?> NoteAsync(McpAuthException e)
        {
            var refused = RefusedRenewal.Create(e, environment.Time.GetUtcNow(), Fingerprint(server, item));
            await store.ChangeIndexAsync(server, item, f => f with { RenewalUncertain = cutOff, RenewalBegan = null, RenewalRefused = refused ?? f.RenewalRefused })
                .ConfigureAwait(false);
            return refused;
        }
    }

    private static SignInStep HowToSignIn(McpServer server, OAuthCredential current) => new(server)
    {
        Options = current.SignedInBy switch
        {
            SignedInBy.Workload => [current.Assertion!.Option],
            SignedInBy.IdentityProvider => [new StepOption(StepOptionKind.IdentityProvider, current.IdentityProvider!)],
            SignedInBy.Client => [current.Client.Kind == ClientKind.ManagedIdentity ? StepOptionKind.ManagedIdentity : StepOptionKind.ClientCredentials],
            _ => [],
        },
    };

    private bool IsStale(OAuthCredential credential) =>
        environment.Time.GetUtcNow() - credential.MetadataReadAt is var age && (age < TimeSpan.Zero || age >= MetadataLifetime);

    /// <summary>Ends the credential of an issuer that the server no longer trusts. What ties clients to issuers stays.</summary>
    private async Task<McpAuthException> DropAsync(McpServer server, ServerSecrets item, OAuthCredential current, string now,
        CancellationToken cancellationToken)
    {
        try
        {
            await new TokenRevoker(environment, progress).RunAsync(server, current, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await store.ReplaceAsync(server, item with { OAuth = null }, CancellationToken.None).ConfigureAwait(false);
        }
        return new McpAuthException(ErrorReason.AuthenticationRequired,
            $"'{server.Name}' has a new issuer, {UntrustedText.Sanitize(now)}: what {UntrustedText.Sanitize(current.Issuer)} gave for it was dropped.",
            HowToSignIn(server, current))
        { Server = server.Name };
    }

    private async Task<OAuthCredential> WithFreshMetadataAsync(OAuthCredential credential, string issuer, RestrictedHttpClient http,
        UrlPolicy policy, CancellationToken cancellationToken)
    {
        if (!IsStale(credential))
        {
            return credential;
        }
        try
        {
            var metadata = await AuthorizationServerMetadata.FindAsync(http, policy, issuer, cancellationToken).ConfigureAwait(false);
            return credential with
            {
                TokenEndpoint = metadata.TokenEndpoint,
                RevocationEndpoint = metadata.RevocationEndpoint,
                MetadataReadAt = environment.Time.GetUtcNow(),
            };
        }
        catch (McpAuthException e) when (e.Reason is ErrorReason.ServerUnreachable or ErrorReason.MetadataInvalid or ErrorReason.ProtocolViolation)
        {
            // Endpoints that this very issuer published once are better than none.
            return credential;
        }
    }

    private async Task<OAuthCredential> WithIssuerAsync(McpServer server, ServerSecrets item, OAuthCredential credential,
        RestrictedHttpClient http, UrlPolicy policy, CancellationToken cancellationToken)
    {
        var (resource, issuer) = await findIssuer(server, item, http, policy, cancellationToken).ConfigureAwait(false);
        return credential with
        {
            Issuer = issuer.Issuer,
            Resource = resource,
            Client = ClientIdentity.Create(credential.Client.Kind, credential.Client.Id, credential.Client.Secret, issuer),
            TokenEndpoint = issuer.TokenEndpoint,
            RevocationEndpoint = issuer.RevocationEndpoint,
            MetadataReadAt = environment.Time.GetUtcNow(),
        };
    }

    private async Task<McpAuthException> ForgetRefreshTokenAsync(McpServer server, ServerSecrets item,
        OAuthCredential current, McpAuthException rejected, bool cutOff)
    {
        await store.ReplaceAsync(server, item with { OAuth = current with { RefreshToken = null } }, CancellationToken.None)
            .ConfigureAwait(false);
        if (RefreshTokenGrant.IsOfClient(rejected) && current is { Client.Kind: ClientKind.Dynamic, Issuer: { } issuer })
        {
            // A sign-in with a forgotten client would end on an error page of the issuer. The registration stays until another one
            // has proved good: some issuers answer invalid_client for a moment only.
            using var held = await environment.LockAsync(CredentialStore.ClientItemName(issuer), CancellationToken.None).ConfigureAwait(false);
            var kept = await store.ReadRegistrationAsync(server, issuer, null, CancellationToken.None).ConfigureAwait(false);
            if (kept?.Client.Id == current.Client.Id)
            {
                await store.MarkDoubtedAsync(issuer, kept.Client.Id, CancellationToken.None).ConfigureAwait(false);
            }
        }
        return new McpAuthException(ErrorReason.RefreshTokenRejected, rejected.Message
            + (cutOff ? " An earlier renewal was cut off before its answer arrived, which may have spent it." : ""),
            CredentialRemedy.ForNewCredential(server), rejected)
        {
            Server = server.Name,
            OAuthError = rejected.OAuthError,
            StatusCode = rejected.StatusCode,
        };
    }
}
