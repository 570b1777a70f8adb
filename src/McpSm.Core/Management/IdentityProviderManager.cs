using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core.Management;

/// <summary>Configures the identity provider of an organisation, and signs in to it and out of it (rule 34 of docs/rules.md).</summary>
internal sealed class IdentityProviderManager
{
    private readonly AppEnvironment _environment;
    private readonly ServerCatalog _catalog;
    private readonly IdentitySessionStore _sessions;
    private readonly EnterpriseSignIn _signIn;
    private readonly SignInQueue _queue;
    private readonly CredentialIndex _index;

    internal IdentityProviderManager(
        AppEnvironment environment, ServerCatalog catalog, IdentitySessionStore sessions, EnterpriseSignIn signIn, SignInQueue queue)
    {
        _environment = environment;
        _catalog = catalog;
        _sessions = sessions;
        _signIn = signIn;
        _queue = queue;
        _index = new CredentialIndex(environment);
    }

    /// <summary>The configured identity provider, which all servers may use; null if none is configured.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IdentityProviderSetting? Current => new Settings(_environment).IdentityProvider;

    /// <summary>Lists the providers that are configured or have a session. The configured one is first.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<McpIdentityProvider> List()
    {
        var set = Current;
        var servers = _index.Read();
        var catalog = _catalog.List().DistinctBy(s => s.Id).ToList();
        var kept = _index.ReadIdentities().Values.Select(i => i.Issuer);
        var now = _environment.Time.GetUtcNow();
        return [.. new[] { set?.Issuer }.Concat(kept).OfType<string>().Distinct().Select(issuer => Describe(issuer, _sessions.Index(issuer)))];

        McpIdentityProvider Describe(string issuer, IdentitySessionInfo? info)
        {
            var setting = set?.Issuer == issuer ? set : null;
            var served = catalog.Where(s => servers.GetValueOrDefault(s.Id)?.IdentityProvider == issuer).OrderBy(s => s.Name, StringComparer.Ordinal).ToList();
            var signedIn = info?.SignedInAt is not null && ((info.CanRenew && info.RenewalRefused is null) || info.ExpiresAt > now);
            return new McpIdentityProvider(issuer, _environment.Time)
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
                // No remedy for a provider that is neither configured nor used by any server.
                Remedy = signedIn || (setting is null && served.Count == 0)
                    ? null
                    : _environment.Remedies.Format(_signIn.Step(issuer, served.FirstOrDefault())),
            };
        }
    }

    /// <summary>Returns the configured identity provider.</summary>
    /// <exception cref="McpAuthException">AuthenticationRequired: no provider is configured. ConfigurationCorrupt.</exception>
    public IdentityProviderSetting RequireCurrent() => Current
        ?? throw new McpAuthException(ErrorReason.AuthenticationRequired, "No identity provider is set.",
            new UseIdentityProviderStep(null, StepOptionKind.ClientId));

    /// <summary>Configures the identity provider for every server whose issuer trusts it. The session of another provider stays.</summary>
    /// <param name="provider">The provider.</param>
    /// <param name="clientSecret">The client secret, which goes into the vault; null if the client has none. It replaces the stored one.</param>
    /// <param name="vault">The vault; null for the selected one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="McpAuthException">InvalidValue, UnsafeEndpoint, the reasons of the vault.</exception>
    public async Task SetAsync(IdentityProviderSetting provider, string? clientSecret, string? vault, CancellationToken cancellationToken)
    {
        EnterpriseSignIn.Check(provider.Issuer);
        if (clientSecret is not null && provider.ClientId is null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A client secret requires a client id.");
        }
        if (clientSecret is not null)
        {
            clientSecret = SecretText.WithoutLineEnd(clientSecret);
            ServerUpdate.CheckClientSecret(clientSecret);
        }
        if (provider.Scopes.FirstOrDefault(s => !Scopes.IsValid(s)) is { } wrong)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"'{UntrustedText.Sanitize(wrong)}' is not a valid scope.");
        }
        using (await _sessions.LockAsync(provider.Issuer, cancellationToken).ConfigureAwait(false))
        {
            var kept = await _sessions.ReadAsync(provider.Issuer, cancellationToken, vault).ConfigureAwait(false);
            if (clientSecret is not null || kept?.ClientSecret is not null)
            {
                var item = (kept ?? new IdentityProviderSecrets { Issuer = provider.Issuer }) with
                {
                    ClientId = clientSecret is null ? null : provider.ClientId,
                    ClientSecret = clientSecret,
                };
                await (clientSecret is null ? _sessions.ReplaceAsync(item, cancellationToken)
                    : _sessions.WriteAsync(item, vault, cancellationToken)).ConfigureAwait(false);
            }
        }
        await new Settings(_environment).SetIdentityProviderAsync(provider, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Signs out of a provider and removes its configuration. Servers keep their tokens until these expire.</summary>
    /// <returns>Why the provider did not confirm the end of the session; null if it did, or if there was no session.</returns>
    public async Task<string?> RemoveAsync(string provider, CancellationToken cancellationToken)
    {
        var failure = await SignOutAsync(provider, local: false, cancellationToken).ConfigureAwait(false);
        using (await _sessions.LockAsync(provider, cancellationToken).ConfigureAwait(false))
        {
            await _sessions.RemoveAsync(provider, cancellationToken).ConfigureAwait(false);
        }
        if (Current?.Issuer == provider)
        {
            await new Settings(_environment).SetIdentityProviderAsync(null, cancellationToken).ConfigureAwait(false);
        }
        return failure;
    }

    /// <summary>Signs a person in at an identity provider.</summary>
    /// <exception cref="McpAuthException">InteractionRequired, PkceUnsupported, AuthorizationDenied, …</exception>
    public async Task SignInAsync(string provider, SignInOptions options, CancellationToken cancellationToken)
    {
        using var turn = await _queue.EnterAsync(cancellationToken).ConfigureAwait(false);
        await _signIn.SignInAsync(provider, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stores an ID token that another program got from the identity provider, until it expires.</summary>
    /// <param name="provider">The issuer of the provider.</param>
    /// <param name="clientId">The client that the token was issued to; null for the configured client.</param>
    /// <param name="idToken">The token.</param>
    /// <param name="vault">The vault; null for the selected one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="McpAuthException">IssuerMismatch, TokenResponseInvalid: another provider issued the token, or for another client, or it has
    /// expired.</exception>
    public Task StoreIdTokenAsync(string provider, string? clientId, string idToken, string? vault, CancellationToken cancellationToken) =>
        _signIn.KeepTokenAsync(provider, clientId, idToken, vault, cancellationToken);

    /// <summary>Ends the session with a provider: revokes it if the provider supports that, and removes it in any case (rule 38).</summary>
    /// <param name="provider">The issuer of the provider.</param>
    /// <param name="local">Sends nothing to the provider.</param>
    /// <param name="cancellationToken">Cancels the revocation; the session is removed all the same.</param>
    /// <returns>Why the provider did not confirm; null if it did, was not asked, or if there was no session.</returns>
    public async Task<string?> SignOutAsync(string provider, bool local, CancellationToken cancellationToken)
    {
        using var providerLock = await _sessions.LockAsync(provider, cancellationToken).ConfigureAwait(false);
        IdentityProviderSecrets? item;
        try
        {
            item = await _sessions.ReadAsync(provider, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e))
        {
            await _sessions.RemoveAsync(provider, cancellationToken).ConfigureAwait(false);
            return null;
        }
        if (item?.Session is not { } session)
        {
            return null;
        }
        try
        {
            return local ? null : await _signIn.RevokeAsync(provider, session, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await (item.ClientSecret is null ? _sessions.RemoveAsync(provider, CancellationToken.None)
                : _sessions.ReplaceAsync(item with { Session = null }, CancellationToken.None)).ConfigureAwait(false);
        }
    }
}
