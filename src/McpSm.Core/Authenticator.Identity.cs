using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Management;
using McpSm.Core.SignIn;

namespace McpSm.Core;

/// <remarks>The identity provider of the organisation (rule 34 of docs/rules.md).</remarks>
public sealed partial class Authenticator
{
    /// <summary>The identity provider for the whole catalog; null where none is set.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IdentityProviderSetting? IdentityProvider => new Settings(_environment).IdentityProvider;

    /// <summary>The providers that are set or have a session, the one that is set first.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<McpIdentityProvider> IdentityProviders()
    {
        var set = IdentityProvider;
        var servers = _store.Index.Read();
        var catalog = Catalog.List().DistinctBy(s => s.Id).ToList();
        var kept = _store.Index.ReadIdentities().Values.Select(i => i.Issuer);
        var now = _environment.Time.GetUtcNow();
        return [.. new[] { set?.Issuer }.Concat(kept).OfType<string>().Distinct().Select(issuer => Describe(issuer, _identities.Index(issuer)))];

        McpIdentityProvider Describe(string issuer, IdentitySessionInfo? info)
        {
            var setting = set?.Issuer == issuer ? set : null;
            var served = catalog.Where(s => servers.GetValueOrDefault(s.Id)?.IdentityProvider == issuer).OrderBy(s => s.Name, StringComparer.Ordinal).ToList();
            var signedIn = info?.SignedInAt is not null && ((info.CanRenew && info.RenewalRefused is null) || info.ExpiresAt > now);
            return new McpIdentityProvider(issuer)
            {
                IsSet = setting is not null,
                ClientId = setting?.ClientId,
                Scopes = setting?.Scopes ?? [],
                SignedIn = signedIn,
                SignedInAt = info?.SignedInAt,
                ExpiresAt = info?.ExpiresAt,
                CanRenew = info?.CanRenew == true,
                Vault = info?.Vault,
                Pending = info?.Pending == true,
                Servers = [.. served.Select(s => s.Name)],
                // One that is not set and signs in to nothing is missed by nobody.
                Remedy = signedIn || (setting is null && served.Count == 0) ? null : _environment.Remedies.Format(_identity.Step(issuer, served.FirstOrDefault())),
            };
        }
    }

    /// <summary>The identity provider for the whole catalog, for who wants to sign in there.</summary>
    /// <exception cref="McpAuthException">AuthenticationRequired: none is set. ConfigurationCorrupt.</exception>
    public IdentityProviderSetting RequireIdentityProvider() => IdentityProvider
        ?? throw new McpAuthException(ErrorReason.AuthenticationRequired, "No identity provider is set.",
            new UseIdentityProviderStep(null, StepOptionKind.ClientId));

    /// <summary>Sets the identity provider for every server whose issuer takes its word. The session of another one is left as it is.</summary>
    /// <param name="clientSecret">Goes into the vault; null where the client has none. It replaces what was there.</param>
    /// <exception cref="McpAuthException">InvalidValue, UnsafeEndpoint, the vault's reasons.</exception>
    public async Task SetIdentityProviderAsync(IdentityProviderSetting provider, string? clientSecret, string? vault, CancellationToken cancellationToken)
    {
        EnterpriseSignIn.Check(provider.Issuer);
        if (clientSecret is not null && provider.ClientId is null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A client secret needs the client id that it is of.");
        }
        if (clientSecret is not null)
        {
            clientSecret = SecretText.WithoutLineEnd(clientSecret);
            ServerUpdate.CheckClientSecret(clientSecret);
        }
        if (provider.Scopes.FirstOrDefault(s => !Scopes.IsValid(s)) is { } wrong)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"'{UntrustedText.Sanitize(wrong)}' is no scope.");
        }
        using (await _identities.LockAsync(provider.Issuer, cancellationToken).ConfigureAwait(false))
        {
            var kept = await _identities.ReadAsync(provider.Issuer, cancellationToken, vault).ConfigureAwait(false);
            if (clientSecret is not null || kept?.ClientSecret is not null)
            {
                var item = (kept ?? new IdentityProviderSecrets { Issuer = provider.Issuer }) with
                {
                    ClientId = clientSecret is null ? null : provider.ClientId,
                    ClientSecret = clientSecret,
                };
                await (clientSecret is null ? _identities.ReplaceAsync(item, cancellationToken)
                    : _identities.WriteAsync(item, vault, cancellationToken)).ConfigureAwait(false);
            }
        }
        await new Settings(_environment).SetIdentityProviderAsync(provider, cancellationToken).ConfigureAwait(false);
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
            await new Settings(_environment).SetIdentityProviderAsync(null, cancellationToken).ConfigureAwait(false);
        }
        return failure;
    }

    /// <summary>Signs a person in at an identity provider.</summary>
    /// <exception cref="McpAuthException">InteractionRequired, PkceUnsupported, AuthorizationDenied, …</exception>
    public async Task SignInToIdentityProviderAsync(string provider, SignInOptions options, CancellationToken cancellationToken)
    {
        using var turn = await EnterAsync(cancellationToken).ConfigureAwait(false);
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
        IdentityProviderSecrets? item;
        try
        {
            item = await _identities.ReadAsync(provider, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e))
        {
            await _identities.RemoveAsync(provider, cancellationToken).ConfigureAwait(false);
            return null;
        }
        if (item?.Session is not { } session)
        {
            return null;
        }
        try
        {
            return local ? null : await _identity.RevokeAsync(provider, session, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await (item.ClientSecret is null ? _identities.RemoveAsync(provider, CancellationToken.None)
                : _identities.ReplaceAsync(item with { Session = null }, CancellationToken.None)).ConfigureAwait(false);
        }
    }
}
