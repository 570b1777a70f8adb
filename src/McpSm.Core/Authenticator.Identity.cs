using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Vaults;

namespace McpSm.Core;

/// <summary>How things stand with an identity provider, from facts alone: no network, no vault.</summary>
/// <param name="Issuer">Its issuer identifier.</param>
/// <param name="ClientId">The client that is set for it; null where we register ourselves.</param>
/// <param name="SignedInAt">Null where nobody is signed in.</param>
/// <param name="ExpiresAt">When its ID token expires; after that a person must sign in again, unless the session can be renewed.</param>
/// <param name="CanRenew">Whether the session is renewed without a person.</param>
/// <param name="Servers">The servers that are signed in to through it, by name.</param>
public sealed record IdentityProviderStatus(string Issuer, string? ClientId, IReadOnlyList<string> Scopes, DateTimeOffset? SignedInAt, DateTimeOffset? ExpiresAt,
    bool CanRenew, string? Vault, IReadOnlyList<string> Servers)
{
    /// <summary>Whether it is the one that is set for the whole catalog.</summary>
    public bool IsSet { get; init; }

    /// <summary>Whether a session holds at this moment, or can be renewed.</summary>
    public bool IsSignedInAt(DateTimeOffset now) => SignedInAt is not null && (CanRenew || ExpiresAt > now);
}

/// <remarks>The identity provider of the organisation (rule 34).</remarks>
public sealed partial class Authenticator
{
    /// <summary>The identity provider for the whole catalog; null where none is set.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IdentityProviderSetting? IdentityProvider => new Settings(_home).IdentityProvider;

    /// <summary>The providers that are set or have a session, the one that is set first.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<IdentityProviderStatus> IdentityProviders()
    {
        var set = IdentityProvider;
        var servers = _store.Facts.Read();
        var names = Catalog.List().DistinctBy(s => s.Id).ToDictionary(s => s.Id, s => s.Name);
        var kept = _store.Facts.ReadIdentities().Values.Select(i => i.Issuer);
        return [.. new[] { set?.Issuer }.Concat(kept).OfType<string>().Distinct().Select(issuer => Describe(issuer, _identities.Facts(issuer)))];

        IdentityProviderStatus Describe(string issuer, IdentityFacts? facts) => new(issuer, set?.Issuer == issuer ? set.ClientId : null,
            set?.Issuer == issuer ? set.Scopes : [], facts?.SignedInAt, facts?.ExpiresAt, facts?.CanRenew == true, facts?.Vault,
            [.. servers.Where(s => s.Value.IdentityProvider == issuer && names.ContainsKey(s.Key)).Select(s => names[s.Key]).Order(StringComparer.Ordinal)])
        { IsSet = set?.Issuer == issuer };
    }

    /// <summary>Sets the identity provider for every server whose issuer takes its word. The session of another one is left as it is.</summary>
    /// <param name="clientSecret">Goes into the vault; null where the client has none. It replaces what was there.</param>
    /// <exception cref="McpAuthException">InvalidValue, UnsafeEndpoint, the vault's reasons.</exception>
    public async Task SetIdentityProviderAsync(IdentityProviderSetting provider, string? clientSecret, string? vault, CancellationToken cancellationToken)
    {
        IdentitySignIn.Check(provider.Issuer);
        if (clientSecret is not null && provider.ClientId is null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A client secret needs the client id that it is of.");
        }
        if (provider.Scopes.FirstOrDefault(s => !Scopes.IsValid(s)) is { } wrong)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"'{ForeignText.Clean(wrong)}' is no scope.");
        }
        using (await _identities.LockAsync(provider.Issuer, cancellationToken).ConfigureAwait(false))
        {
            var kept = await _identities.ReadAsync(provider.Issuer, cancellationToken).ConfigureAwait(false);
            if (clientSecret is not null || kept?.ClientSecret is not null)
            {
                await _identities.WriteAsync((kept ?? new IdentityItem { Issuer = provider.Issuer }) with
                {
                    ClientId = clientSecret is null ? null : provider.ClientId,
                    ClientSecret = clientSecret,
                }, vault, cancellationToken).ConfigureAwait(false);
            }
        }
        await new Settings(_home).SetIdentityProviderAsync(provider, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sets none. Servers keep their tokens until these expire.</summary>
    /// <returns>Why the provider did not confirm the end of the session; null where it did, or there was none.</returns>
    public async Task<string?> RemoveIdentityProviderAsync(string provider, CancellationToken cancellationToken)
    {
        var failure = await SignOutOfIdentityProviderAsync(provider, local: false, cancellationToken).ConfigureAwait(false);
        using (await _identities.LockAsync(provider, cancellationToken).ConfigureAwait(false))
        {
            await _identities.RemoveAsync(provider, cancellationToken).ConfigureAwait(false);
        }
        if (IdentityProvider?.Issuer == provider)
        {
            await new Settings(_home).SetIdentityProviderAsync(null, cancellationToken).ConfigureAwait(false);
        }
        return failure;
    }

    /// <summary>Signs a person in at an identity provider.</summary>
    /// <exception cref="McpAuthException">InteractionRequired, PkceUnsupported, AuthorizationDenied, …</exception>
    public async Task SignInToIdentityProviderAsync(string provider, ConnectOptions options, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken).ConfigureAwait(false);
        await _identity.SignInAsync(provider, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Keeps an ID token that another program got at the identity provider, until it expires.</summary>
    /// <param name="clientId">The client that it was made for; null for the one that is set.</param>
    /// <exception cref="McpAuthException">IssuerMismatch, TokenResponseInvalid: it is not of this provider, or not for this client, or has expired.</exception>
    public Task KeepIdTokenAsync(string provider, string? clientId, string idToken, string? vault, CancellationToken cancellationToken) =>
        _identity.KeepTokenAsync(provider, clientId, idToken, vault, cancellationToken);

    /// <summary>Ends the session at an identity provider: there where it can be revoked, here in any case (rule 38).</summary>
    /// <param name="local">Does not tell the provider.</param>
    /// <returns>Why the provider did not confirm; null where it did, was not asked, or there was no session.</returns>
    public async Task<string?> SignOutOfIdentityProviderAsync(string provider, bool local, CancellationToken cancellationToken)
    {
        using var held = await _identities.LockAsync(provider, cancellationToken).ConfigureAwait(false);
        var item = await _identities.ReadAsync(provider, cancellationToken).ConfigureAwait(false);
        if (item?.Session is not { } session)
        {
            return null;
        }
        try
        {
            return local ? null : await RevokeAsync(provider, session, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await (item.ClientSecret is null ? _identities.RemoveAsync(provider, CancellationToken.None)
                : _identities.WriteAsync(item with { Session = null }, null, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    private async Task<string?> RevokeAsync(string provider, IdentitySession session, CancellationToken cancellationToken)
    {
        if (session.RefreshToken is null)
        {
            return null;
        }
        if (session.RevocationEndpoint is not { } endpoint)
        {
            return "The identity provider offers no revocation; its tokens end when they expire.";
        }
        try
        {
            // Nobody wants to wait long for a provider that is gone.
            using var http = new SafeHttp(new UrlPolicy(new Uri(provider)), null, TimeSpan.FromSeconds(5));
            return await Revocation.RevokeAsync(http, endpoint, provider, session.Client, session.RefreshToken, null, _home.Time, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            return e.Message;
        }
    }
}
