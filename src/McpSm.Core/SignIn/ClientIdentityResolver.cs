using System.Globalization;
using System.Diagnostics.CodeAnalysis;
using McpSm.Core.Browsing;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interaction;
using McpSm.Core.Registration;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>
/// Chooses the client of an interactive sign-in, and the port that the browser returns to (rule 26 of docs/rules.md). Follows up the sign-in:
/// records whether the client was accepted, or may have been forgotten by its issuer.
/// </summary>
/// <remarks>
/// Few issuers say that they have forgotten a registration. Some show an error page to the person, some refuse the code with an error of
/// their own. Such a client is doubted: the next sign-in registers another one.
/// </remarks>
internal sealed class ClientIdentityResolver(AuthContext context, McpServer server, ServerSecrets? item, SignInTarget target, SignInOptions options)
{
    /// <summary>The port of the redirect URI, if neither the user nor the settings name another.</summary>
    public const int DefaultPort = 8888;

    // An issuer that lets the person straight through, and one that asks for a password, have shown their page by then.
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(5);

    private readonly AuthorizationServerMetadata _issuer = target.Issuer;

    // The host of the redirect URI, if the issuer accepts another than 127.0.0.1.
    private string? _redirectHost;
    private DynamicRegistration? _dynamic;

    /// <summary>Sends the requests.</summary>
    public required RestrictedHttpClient Http { private get; init; }

    /// <summary>Stores registrations.</summary>
    public required ClientRegistrar Clients { private get; init; }

    /// <summary>The command that begins another sign-in, with these options.</summary>
    public required Func<StepOption, NextStep> Command { private get; init; }

    /// <summary>
    /// The registration of an earlier sign-in that this one uses. The issuer may have forgotten it. Null if this sign-in uses no such registration.
    /// </summary>
    public ClientRegistration? Stored { get; private set; }

    /// <summary>The registration that this sign-in uses, stored or new; null if the client was not registered dynamically.</summary>
    public ClientRegistration? Registration { get; private set; }

    /// <summary>The scopes to register for, if the issuer restricts a client to the scopes of its registration; null to name none.</summary>
    public IReadOnlyList<string>? Scopes { get; set; }

    /// <summary>Whether the issuer said in this sign-in that it does not know the client.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Returns the client identity and a listener on a port of its redirect URIs (rule 26).</summary>
    public async Task<(ClientIdentity, CallbackListener)> IdentifyAsync(bool again, CancellationToken cancellationToken)
    {
        if (ClientRegistrar.CreateSupplied(server, item, _issuer, MetadataUrl()) is { } supplied)
        {
            var port = AskedPort() ?? DefaultPort;
            return (supplied, CallbackListener.TryBind(port, context.Environment.Network.Time) ?? throw PortInUse(port));
        }
        using var held = await LockClientAsync(cancellationToken).ConfigureAwait(false);
        var kept = await Clients.FindStoredAsync(server, _issuer, options.Vault, cancellationToken).ConfigureAwait(false);
        foreach (var known in Usable(kept, again))
        {
            if (TryBindFor(known) is { } own)
            {
                return (Use(known, kept).Client, own);
            }
        }
        Stored = null;
        _redirectHost = kept?.RedirectHost ?? _redirectHost;
        var listener = BindForRegistration(AskedPort() ?? DefaultPort);
        Registration = null;
        try
        {
            context.Progress?.Report($"Registering with the issuer for {listener.RedirectUri}.");
            var redirect = new RegisteredRedirectUri(listener.RedirectUri, () =>
            {
                var port = listener.Port;
                listener.Dispose();
                _redirectHost = RegisteredRedirectUri.Localhost;
                return (listener = BindForRegistration(port)).RedirectUri;
            });
            Registration = await RegisterAsync(kept, redirect, again, cancellationToken).ConfigureAwait(false);
            return (Registration.Client, listener);
        }
        catch (McpAuthException e) when (!again && MayUseDoubted(kept, e))
        {
            listener.Dispose();
            if (TryBindFor(kept) is not { } own)
            {
                throw;
            }
            return (UseDoubted(kept, e).Client, own);
        }
        finally
        {
            if (Registration is null)
            {
                listener.Dispose();
            }
        }
    }

    /// <summary>Listens on the port, or on a free one if the issuer lets us register its redirect URI.</summary>
    private CallbackListener BindForRegistration(int wanted)
    {
        if (TryBind(wanted) is { } listener)
        {
            return listener;
        }
        // A port that the user named for this sign-in may be the end of a tunnel, so another port would not be reached.
        if (_issuer.RegistrationEndpoint is null || options.CallbackPort > 0)
        {
            throw PortInUse(wanted, _redirectHost ?? "127.0.0.1");
        }
        listener = TryBind(0) ?? throw PortInUse(wanted, _redirectHost ?? "127.0.0.1");
        context.Interaction.Notice($"Port {wanted} is in use. The browser returns to port {listener.Port} instead.");
        return listener;
    }

    private CallbackListener? TryBind(int port) =>
        _redirectHost is null ? CallbackListener.TryBind(port, context.Environment.Network.Time)
        : CallbackListener.TryBindLocalhost(port, CallbackListener.Path, context.Environment.Network.Time);

    /// <summary>Registers clients. One instance for the whole sign-in, because it counts the requests.</summary>
    private DynamicRegistration Registering => _dynamic ??= new(Http, _issuer, server, target.Scopes, Command, context.Progress);

    /// <summary>Listens on a port of the registration; null if all are in use.</summary>
    private CallbackListener? TryBindFor(ClientRegistration kept)
    {
        _redirectHost = kept.RedirectHost;
        var asked = AskedPort();
        // A port that the user named takes precedence over the registered ones: it may be the end of a tunnel.
        foreach (var port in asked is > 0 ? kept.Ports.Where(p => p == asked) : kept.Ports)
        {
            if (TryBind(port) is { } listener)
            {
                return listener;
            }
        }
        return null;
    }

    public string DescribeClient(ClientKind kind) => kind switch
    {
        ClientKind.PreRegistered => "the one supplied for this server",
        ClientKind.MetadataDocument => "our metadata document",
        _ => Stored is null ? "registered just now" : "the one registered in an earlier sign-in",
    };

    private Task<FileLock> LockClientAsync(CancellationToken cancellationToken) =>
        context.Environment.LockAsync(CredentialStore.ClientItemName(_issuer.Issuer), cancellationToken);

    public McpAuthException PortInUse(int port, string host = "127.0.0.1") => new(ErrorReason.CallbackPortInUse,
        $"Port {port} of {host}, which the browser returns to, is in use.",
        Command(StepOptionKind.CallbackPort));

    public int? AskedPort()
    {
        if (options.CallbackPort is { } asked)
        {
            return asked;
        }
        if (context.Environment.Variable("MCPSM_CALLBACK_PORT") is { } variable)
        {
            return int.TryParse(variable, CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65535 ? port
                : throw new McpAuthException(ErrorReason.InvalidValue, "MCPSM_CALLBACK_PORT is not a port: 0 to 65535.");
        }
        return new Settings(context.Environment).CallbackPort;
    }

    private string? MetadataUrl() =>
        (server.ClientMetadataUrl ?? new Settings(context.Environment).ClientMetadataUrl) is { } url ? ClientRegistrar.CheckMetadataUrl(url) : null;

    /// <summary>Returns the client identity for a sign-in with a device code, which needs no redirect URI.</summary>
    public async Task<ClientIdentity> IdentifyForDeviceAsync(bool again, CancellationToken cancellationToken)
    {
        if (ClientRegistrar.CreateSupplied(server, item, _issuer, MetadataUrl()) is { } supplied)
        {
            return supplied;
        }
        using var held = await LockClientAsync(cancellationToken).ConfigureAwait(false);
        var kept = await Clients.FindStoredAsync(server, _issuer, options.Vault, cancellationToken).ConfigureAwait(false);
        var port = AskedPort() is { } asked and > 0 ? asked : DefaultPort;
        // No listener now, but a later sign-in with a browser may use it.
        var redirect = new RegisteredRedirectUri(RegisteredRedirectUri.Uri(_redirectHost, port),
            () => RegisteredRedirectUri.Uri(RegisteredRedirectUri.Localhost, port));
        Stored = null;
        try
        {
            Registration = Usable(kept, again).FirstOrDefault() is { } known ? Use(known, kept)
                : await RegisterAsync(kept, redirect, again, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (!again && MayUseDoubted(kept, e))
        {
            UseDoubted(kept, e);
        }
        return Registration!.Client;
    }

    // The stored registration that another client replaces in this sign-in. It stays until the sign-in has succeeded.
    private ClientRegistration? _replaced;

    private bool IsDoubted(ClientRegistration? kept) => kept is not null && _issuer.RegistrationEndpoint is not null && Clients.IsDoubted(kept);

    /// <summary>Returns the registrations of earlier sign-ins that this one may use, the best one first.</summary>
    /// <param name="kept">The stored registration.</param>
    /// <param name="again">Whether the sign-in begins again, because the issuer refused the client or its scopes.</param>
    private IEnumerable<ClientRegistration> Usable(ClientRegistration? kept, bool again)
    {
        if (kept is not null && !again && !IsDoubted(kept))
        {
            yield return kept;
        }
        // An issuer that has forgotten one client has probably forgotten the other as well.
        if (kept?.Candidate is { } candidate && !IsForgotten && !(Scopes ?? []).Except(candidate.Scopes ?? []).Any())
        {
            yield return candidate;
        }
    }

    private ClientRegistration Use(ClientRegistration known, ClientRegistration? kept)
    {
        _replaced = known == kept ? null : kept;
        return Registration = Stored = known;
    }

    /// <summary>Registers a client. It replaces the stored one only after the sign-in, because the stored one may still be valid.</summary>
    private async Task<ClientRegistration> RegisterAsync(
        ClientRegistration? kept, RegisteredRedirectUri redirect, bool again, CancellationToken cancellationToken)
    {
        if (!again && IsDoubted(kept))
        {
            context.Interaction.Notice($"{UntrustedText.Sanitize(_issuer.Issuer)} may have forgotten the client of an earlier sign-in. "
                + "Mcpsm registers a new one.");
        }
        var registered = await Registering.RunAsync(redirect, Scopes ?? kept?.Scopes, cancellationToken).ConfigureAwait(false);
        _replaced = kept;
        await Clients.StoreAsync(server, kept is null ? registered : kept with { Candidate = registered }, options.Vault, cancellationToken)
            .ConfigureAwait(false);
        return registered;
    }

    /// <summary>Whether to continue with the doubted client, because the issuer may only be slow.</summary>
    private bool MayUseDoubted([NotNullWhen(true)] ClientRegistration? kept, McpAuthException registering) =>
        IsDoubted(kept) && registering.Reason is ErrorReason.ClientRegistrationFailed or ErrorReason.ServerUnreachable;

    private ClientRegistration UseDoubted(ClientRegistration kept, McpAuthException registering)
    {
        context.Interaction.Notice($"Mcpsm uses the client of an earlier sign-in once more. {registering.Message}");
        return Use(kept, kept);
    }

    /// <summary>Records after a sign-in that its registration is valid. It replaces the previous one.</summary>
    public async Task SettleRegistrationAsync()
    {
        if (Registration is not { } used)
        {
            return;
        }
        try
        {
            if (_replaced is null)
            {
                await Clients.MarkUsedAsync(server, used, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            using var held = await LockClientAsync(CancellationToken.None).ConfigureAwait(false);
            await Clients.StoreAsync(server, used, options.Vault, CancellationToken.None).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            // The tokens are more important. At worst the next sign-in registers another client.
            context.Interaction.Warn($"The registration with {UntrustedText.Sanitize(_issuer.Issuer)} could not be stored. {e.Message}");
        }
    }

    public bool SuggestsForgottenClient(McpAuthException e) => _issuer.RegistrationEndpoint is not null && DoubtfulRefusal.Is(e);

    public async Task DoubtAsync(ClientRegistration kept)
    {
        try
        {
            // Remove a candidate at once: the registration that it would replace is still stored.
            await (_replaced is null ? Clients.MarkDoubtedAsync(kept, CancellationToken.None)
                : Clients.DropCandidateAsync(server, kept, options.Vault, CancellationToken.None)).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            // The failure that ended the sign-in is more important.
            context.Interaction.Warn($"Mcpsm could not record that {UntrustedText.Sanitize(_issuer.Issuer)} may have forgotten this client. {e.Message}");
        }
    }

    /// <summary>Stores the method by which the issuer accepted the client's secret, so that later sign-ins begin with it.</summary>
    public async Task<ClientIdentity> KeepMethodAsync(ClientIdentity client, TokenSet tokens)
    {
        var proven = tokens.Client ?? client;
        if (Registration is not null && proven != client)
        {
            Registration = Registration with { Client = proven };
            try
            {
                // Ctrl+C must not lose the tokens.
                await Clients.KeepMethodAsync(server, proven, _issuer, options.Vault, CancellationToken.None).ConfigureAwait(false);
            }
            catch (McpAuthException e)
            {
                // The next sign-in finds the method again, but the tokens would be lost.
                context.Progress?.Report($"The authentication method of the client was not stored. {e.Message}");
            }
        }
        return proven;
    }

    /// <summary>
    /// Asks after a moment whether the issuer has forgotten the client. The authorization endpoint shows that only to the person (RFC 6749
    /// section 4.1.2.1), so that the sign-in could only time out.
    /// </summary>
    public async Task<bool> AskWhetherForgottenAsync(CancellationToken cancellationToken)
    {
        if (Stored is null || _issuer.RegistrationEndpoint is null)
        {
            return false;
        }
        try
        {
            await Task.Delay(MetadataTimeout, context.Environment.Network.Time, cancellationToken).ConfigureAwait(false);
            return await Clients.IsForgottenAsync(Http, _issuer, Stored, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The sign-in has ended.
            return false;
        }
    }
}
