using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interruption;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>
/// Renews the token of a server in one transaction under the lock of the server: lock, read again, renew, write, release. If another
/// process has replaced the credential meanwhile, that credential is the result, so that each refresh token is sent only once.
/// </summary>
/// <remarks><c>findIssuer</c> asks the server for its issuer, if the issuer of a credential is unknown.</remarks>
internal sealed class TokenRenewer(AppEnvironment environment, CredentialStore store, EntraTokenClient entra, IdentityAssertionGrant identity,
    Func<McpServer, ServerSecrets, RestrictedHttpClient, UrlPolicy, CancellationToken, Task<(string Resource, AuthorizationServerMetadata Issuer)>> findIssuer,
        IProgress<string>? progress = null)
{
    private static readonly TimeSpan MetadataLifetime = TimeSpan.FromHours(24);

    /// <summary>
    /// Returns whether the token is expired, or its remaining time is at most the smaller of 60 seconds and 10 % of its lifetime. Also true
    /// if the clock was set back to before the token was issued, because its expiry then means nothing.
    /// </summary>
    public static bool IsDue(OAuthCredential credential, DateTimeOffset now) => credential.ExpiresAt is { } end
        && (end - now <= Margin(TimeSpan.FromSeconds(60), credential.IssuedAt, end) || credential.IssuedAt - now > TimeSpan.FromMinutes(5));

    /// <summary>Returns the smaller of a time span and a tenth of the lifetime.</summary>
    public static TimeSpan Margin(TimeSpan most, DateTimeOffset issued, DateTimeOffset end)
    {
        var tenth = (end - issued) / 10;
        return tenth < most ? tenth : most;
    }

    /// <summary>Renews the token, unless another process has already replaced it.</summary>
    /// <param name="server">The server of the credential.</param>
    /// <param name="seen">The credential as the caller read it. If another is stored now, that one is returned.</param>
    /// <param name="always">Sends the refresh token even if the issuer refused it a short time ago.</param>
    /// <param name="cancellationToken">Cancels the renewal, but not after the refresh token was sent.</param>
    /// <returns>The credential to use, and the error to show if it could not be stored completely.</returns>
    /// <exception cref="McpAuthException">RefreshTokenRejected, ClientRejected, AuthenticationRequired, ServerUnreachable, …</exception>
    public async Task<(OAuthCredential Credential, McpAuthException? NotKept)> RenewAsync(McpServer server, OAuthCredential seen, bool always,
        CancellationToken cancellationToken)
    {
        RenewalHistory ReadHistory() => RenewalHistory.Read(store.Index.Read(server.Id));
        var subject = $"the token of '{server.Name}'";
        using var exchange = environment.Exchanges.Prepare(cancellationToken);
        var historyBefore = ReadHistory();
        using var fileLock = await store.LockAsync(server, cancellationToken, () => ReadHistory().Hangs(subject)).ConfigureAwait(false);
        var item = await store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if (item?.OAuth is not { } current)
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired,
                $"Another process has signed out of '{server.Name}'.", CredentialRemedy.ForNewCredential(server))
            { Server = server.Name };
        }
        if (current.AccessToken != seen.AccessToken)
        {
            return (current, null);
        }
        if (!current.CanRenew)
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired,
                $"The issuer gave no refresh token for '{server.Name}', so the token cannot be renewed.",
                CredentialRemedy.ForNewCredential(server))
            { Server = server.Name };
        }
        var history = ReadHistory();
        if (fileLock.Waited && history.EndedSince(historyBefore, subject) is { } failure)
        {
            throw failure.For(server.Name);
        }
        if (history.Refused is { } refused && refused.AppliesTo(environment.Time.GetUtcNow(), Fingerprint(server, item))
            && (!always || (fileLock.Waited && refused != historyBefore.Refused)))
        {
            throw refused.AsError(server, current.Resource);
        }
        try
        {
            return await RenewAsync(server, item, current, always, exchange, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (FailedRenewal.Create(e, exchange.IsRunning, environment.Time.GetUtcNow()) is { } failed)
        {
            await store.ChangeIndexAsync(server, item, entry => entry with { RenewalFailed = failed }).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Identifies what a refusal applies to, from the item alone.</summary>
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
        // A refresh token belongs to its issuer (rule 7 of docs/rules.md), and is useless if the server trusts another issuer now. Ask the
        // server as often as the metadata of the issuer is read again.
        if (current.Issuer is { } knownIssuer && (server.Issuer is not null || IsStale(current))
            && await IssuerChangeDetector.FindAsync(http, server, item, knownIssuer, cancellationToken).ConfigureAwait(false) is { } newIssuer)
        {
            throw await DropAsync(server, item, current, newIssuer, cancellationToken).ConfigureAwait(false);
        }
        current = current.Issuer is null ? await WithIssuerAsync(server, item, current, http, policy, cancellationToken).ConfigureAwait(false)
            : await WithFreshMetadataAsync(current, current.Issuer, http, policy, cancellationToken).ConfigureAwait(false);
        if (current.Client is { Kind: ClientKind.PreRegistered, Secret: not null } && current.Client.Id == server.ClientId && item.ClientSecret is { } secret)
        {
            // The user may have replaced the secret since the sign-in.
            current = current with { Client = current.Client with { Secret = secret } };
        }
        // Use the credential's key: the refresh token of a public client is bound to it too (RFC 9449 section 5).
        var constraint = new SenderConstraint(current.DPoPKey, current.RequiresDPoP && server.DPoP != DPoPMode.Never, server.DPoP != DPoPMode.Never);
        progress?.Report($"Renewing the token of '{server.Name}' with {DescribeGrant(current.SignedInBy)}.");
        var renewed = current.With(current.SignedInBy != SignedInBy.Person
            ? await RepeatAsync(server, current, constraint, http, always, cancellationToken).ConfigureAwait(false)
            : await SpendAsync(server, item, current, constraint, current.RefreshToken!, http, exchange).ConfigureAwait(false));
        // Not cancellable: the issuer will not give these tokens again.
        var failed = await store.StoreAsync(server, item with { OAuth = renewed }, null, isRenewal: true).ConfigureAwait(false);
        if (failed is null)
        {
            exchange.Complete();
        }
        return (renewed, failed?.ToException($"The renewed token of '{server.Name}'",
            failed.Outcome == StorageOutcome.MemoryOnly ? HowToSignIn(server, current) : new RefreshStep(server)));
    }

    private static string DescribeGrant(SignedInBy signedInBy) => signedInBy switch
    {
        SignedInBy.Client => "the client credentials grant",
        SignedInBy.Workload => "the current assertion of the workload",
        SignedInBy.IdentityProvider => "the session at the identity provider",
        _ => "its refresh token",
    };

    /// <summary>Repeats the grant of a client, a workload or an identity provider. The request spends no token of the server.</summary>
    private async Task<TokenSet> RepeatAsync(McpServer server, OAuthCredential current, SenderConstraint constraint, RestrictedHttpClient http,
        bool always, CancellationToken cancellationToken)
    {
        var resource = ResourceParameter.For(server, current.Resource);
        try
        {
            return current.IdentityProvider is { } provider
                ? await identity.RequestAsync(http, provider, current.Issuer!, current.TokenEndpoint!, current.Client, current.Resource,
                    current.Scopes, constraint, cancellationToken, always).ConfigureAwait(false)
                : current.Assertion is { } source
                ? await JwtBearerGrant.RequestAsync(http, current.TokenEndpoint!, current.Issuer!, current.Client, ReadAssertion(source, cancellationToken),
                    resource, current.Scopes, constraint, environment.Time, cancellationToken).ConfigureAwait(false)
                : EntraIssuer.Find(current.Issuer) is { } microsoft
                ? await entra.ForClientAsync(server, microsoft, current.Client, current.Scopes, cancellationToken).ConfigureAwait(false)
                : await ClientCredentialsGrant.RequestAsync(http, current.TokenEndpoint!, current.Issuer!, current.Client,
                    resource, current.Scopes, constraint, environment.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason is ErrorReason.ClientRejected or ErrorReason.AssertionRejected or ErrorReason.AuthenticationRequired)
        {
            throw e.For(server.Name, HowToSignIn(server, current));
        }
    }

    /// <exception cref="McpAuthException">AuthenticationRequired: a caller that wants a token must sign in again.</exception>
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

    /// <summary>Sends the refresh token, which may be usable only once.</summary>
    private async Task<TokenSet> SpendAsync(McpServer server, ServerSecrets item, OAuthCredential current, SenderConstraint constraint,
        string refreshToken, RestrictedHttpClient http, TokenExchange exchange)
    {
        var wasInterrupted = store.Index.Read(server.Id)?.IsInterrupted == true;
        var resource = ResourceParameter.For(server, current.Resource);
        // Check the vault and record the attempt before the refresh token is spent. A problem that prevents storing the new token is found
        // in time, and a process that is killed during the request leaves a record.
        using var reserve = await store.RehearseAsync(server, item, exchange.Token).ConfigureAwait(false);
        exchange.Begin();
        await store.ChangeIndexAsync(server, item, entry => entry with { RenewalBegan = environment.Time.GetUtcNow() }).ConfigureAwait(false);
        try
        {
            return EntraIssuer.Find(current.Issuer) is { } microsoft
                ? await entra.RenewAsync(server, microsoft, current.Client.Id, current.Scopes, refreshToken, exchange.Token).ConfigureAwait(false)
                : await RefreshTokenGrant.RenewAsync(http, current.TokenEndpoint!, current.Issuer!, current.Client, refreshToken,
                    resource, current.Scopes, constraint, environment.Time, exchange.Token).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.RefreshTokenRejected)
        {
            if (RefreshTokenGrant.IsOfClient(e) && current.Client is { Kind: ClientKind.PreRegistered, Secret: not null })
            {
                // The user can replace the secret, and the issuer has not examined the refresh token.
                await RecordRefusalAsync(e).ConfigureAwait(false);
                throw RefreshTokenGrant.ClientRejected(e,
                    new UpdateServerStep(server, new StepOption(StepOptionKind.ClientId, current.Client.Id), StepOptionKind.ClientSecret)).For(server.Name);
            }
            throw await ForgetRefreshTokenAsync(server, item, current, e, wasInterrupted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or McpAuthException { OutcomeUnknown: true })
        {
            // The issuer may have spent the refresh token, or not. Keep it; the next answer shows which.
            await store.ChangeIndexAsync(server, item, entry => entry with { RenewalUncertain = true, RenewalBegan = null }).ConfigureAwait(false);
            throw;
        }
        catch (McpAuthException e)
        {
            if (await RecordRefusalAsync(e).ConfigureAwait(false) is not { } refused)
            {
                throw;
            }
            if (current is { Client.Kind: ClientKind.Dynamic, Issuer: { } issuer } && DoubtfulRefusal.Is(e))
            {
                // Otherwise the next sign-in would end on an error page of the issuer.
                await store.Registrations.MarkDoubtedAsync(issuer, current.Client.Id, CancellationToken.None).ConfigureAwait(false);
            }
            throw new McpAuthException(ErrorReason.AuthenticationRequired,
                $"The issuer did not renew the token of '{server.Name}'. Mcpsm keeps the refresh token. {e.Message}",
                    refused.Remedy(server, current.Resource), e)
            { Server = server.Name, OAuthError = e.OAuthError, StatusCode = e.StatusCode };
        }

        // The issuer has not spent the refresh token. A permanent refusal is recorded in the index.
        async Task<RefusedRenewal?> RecordRefusalAsync(McpAuthException e)
        {
            var refused = RefusedRenewal.Create(e, environment.Time.GetUtcNow(), Fingerprint(server, item));
            await store.ChangeIndexAsync(server, item, entry => entry with
            {
                RenewalUncertain = wasInterrupted,
                RenewalBegan = null,
                RenewalRefused = refused ?? entry.RenewalRefused,
            }).ConfigureAwait(false);
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

    /// <summary>Revokes and removes the credential of an issuer that the server no longer trusts. The bindings of clients to issuers stay.</summary>
    private async Task<McpAuthException> DropAsync(McpServer server, ServerSecrets item, OAuthCredential current, string newIssuer,
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
                $"'{server.Name}' has a new issuer, {UntrustedText.Sanitize(newIssuer)}. "
                + $"The credential from {UntrustedText.Sanitize(current.Issuer)} was removed.",
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
            // The last known endpoints of this issuer still work more often than not.
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
        OAuthCredential current, McpAuthException rejected, bool wasInterrupted)
    {
        await store.ReplaceAsync(server, item with { OAuth = current with { RefreshToken = null } }, CancellationToken.None)
            .ConfigureAwait(false);
        if (RefreshTokenGrant.IsOfClient(rejected) && current is { Client.Kind: ClientKind.Dynamic, Issuer: { } issuer })
        {
            // A sign-in with a forgotten client would end on an error page of the issuer. The registration stays until a new one has
            // worked, because some issuers answer invalid_client only for a moment.
            using var fileLock = await environment.LockAsync(CredentialStore.ClientItemName(issuer), CancellationToken.None).ConfigureAwait(false);
            var registration = await store.Registrations.ReadAsync(server, issuer, null, CancellationToken.None).ConfigureAwait(false);
            if (registration?.Client.Id == current.Client.Id)
            {
                await store.Registrations.MarkDoubtedAsync(issuer, registration.Client.Id, CancellationToken.None).ConfigureAwait(false);
            }
        }
        return new McpAuthException(ErrorReason.RefreshTokenRejected, rejected.Message
            + (wasInterrupted ? " An earlier renewal was interrupted before its answer arrived, and may have spent it." : ""),
            CredentialRemedy.ForNewCredential(server), rejected)
        {
            Server = server.Name,
            OAuthError = rejected.OAuthError,
            StatusCode = rejected.StatusCode,
        };
    }
}
