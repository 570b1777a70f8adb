using McpSm.Core.Browsing;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Registration;

namespace McpSm.Core.SignIn;

/// <remarks>As which client, and where it comes back to.</remarks>
internal sealed partial class InteractiveSignIn
{
    /// <summary>The client identity and a listener on a port that it may be redirected to (rule 26 of docs/rules.md).</summary>
    private async Task<(ClientIdentity, CallbackListener)> IdentifyAsync(bool anew, CancellationToken cancellationToken)
    {
        if (ClientRegistrar.CreateSupplied(server, item, _issuer, MetadataUrl()) is { } supplied)
        {
            return (supplied, CallbackListener.TryBind(AskedPort() ?? DefaultPort) ?? throw PortInUse(AskedPort() ?? DefaultPort));
        }
        using var held = await LockClientAsync(cancellationToken).ConfigureAwait(false);
        var kept = await clients.FindStoredAsync(server, _issuer, options.Vault, cancellationToken).ConfigureAwait(false);
        foreach (var known in Usable(kept, anew))
        {
            if (TryBindFor(known) is { } own)
            {
                return (Use(known, kept).Client, own);
            }
        }
        _kept = null;
        _redirectHost = kept?.RedirectHost ?? _redirectHost;
        var listener = BindForRegistration(AskedPort() ?? DefaultPort);
        _registration = null;
        try
        {
            progress?.Report($"Registering with the issuer for {listener.RedirectUri}.");
            var redirect = new RegisteredRedirectUri(listener.RedirectUri, () =>
            {
                var port = listener.Port;
                listener.Dispose();
                _redirectHost = RegisteredRedirectUri.Localhost;
                return (listener = BindForRegistration(port)).RedirectUri;
            });
            _registration = await RegisterAsync(kept, redirect, anew, cancellationToken).ConfigureAwait(false);
            return (_registration.Client, listener);
        }
        catch (McpAuthException e) when (!anew && MayUseDoubted(kept, e))
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
            if (_registration is null)
            {
                listener.Dispose();
            }
        }
    }

    /// <summary>A listener on the port, or on any other if the issuer lets us register one.</summary>
    private CallbackListener BindForRegistration(int wanted)
    {
        if (TryBind(wanted) is { } listener)
        {
            return listener;
        }
        // A port that the user named for this sign-in is where a tunnel or a container ends: no other will do.
        if (_issuer.RegistrationEndpoint is null || options.CallbackPort > 0)
        {
            throw PortInUse(wanted, _redirectHost ?? "127.0.0.1");
        }
        listener = TryBind(0) ?? throw PortInUse(wanted, _redirectHost ?? "127.0.0.1");
        interaction.Notice($"Port {wanted} is in use; the browser comes back to port {listener.Port} instead.");
        return listener;
    }

    private CallbackListener? TryBind(int port) =>
        _redirectHost is null ? CallbackListener.TryBind(port) : CallbackListener.TryBindLocalhost(port, CallbackListener.Path);

    /// <summary>One for the whole sign-in, since it counts the requests.</summary>
    private DynamicRegistration Registering => _dynamic ??= new(http, _issuer, server, target.Scopes, Command, progress);

    /// <summary>A listener on a port of the registration's; null if all are taken.</summary>
    private CallbackListener? TryBindFor(ClientRegistration kept)
    {
        _redirectHost = kept.RedirectHost;
        var asked = AskedPort();
        // A port that was asked for by number wins over the kept ones: a tunnel may end there.
        foreach (var port in asked is > 0 ? kept.Ports.Where(p => p == asked) : kept.Ports)
        {
            if (TryBind(port) is { } listener)
            {
                return listener;
            }
        }
        return null;
    }

    private string DescribeClient(ClientKind kind) => kind switch
    {
        ClientKind.PreRegistered => "the one supplied for this server",
        ClientKind.MetadataDocument => "our metadata document",
        _ => _kept is null ? "registered just now" : "the one registered in an earlier sign-in",
    };

    /// <summary>What the user adds to the authorization URL, for this server and this once.</summary>
    /// <exception cref="McpAuthException">InvalidValue: another program may have written it.</exception>
    private IReadOnlyDictionary<string, string> AddedToUrl(bool device)
    {
        var once = options.AuthorizeParams;
        var added = once.Count == 0 ? server.AuthorizeParams : AuthorizeParameters.Changed(server.AuthorizeParams, once);
        if (device)
        {
            if (added.Count > 0)
            {
                interaction.Warn($"The authorization parameters of '{server.Name}' are not used: a sign-in by device code has no authorization URL.");
            }
            return AuthorizeParameters.None;
        }
        AuthorizeParameters.Check(once);
        AuthorizeParameters.Check(added, name =>
            new UpdateServerStep(server, new StepOption(StepOptionKind.AuthorizeParameter, name)));
        return added;
    }

    private Task<FileLock> LockClientAsync(CancellationToken cancellationToken) =>
        environment.LockAsync(CredentialStore.ClientItemName(_issuer.Issuer), cancellationToken);

    private McpAuthException PortInUse(int port, string host = "127.0.0.1") => new(ErrorReason.CallbackPortInUse,
        $"Port {port} of {host}, where the browser is to come back to, is in use.",
        Command(StepOptionKind.CallbackPort));

    private int? AskedPort()
    {
        if (options.CallbackPort is { } asked)
        {
            return asked;
        }
        if (environment.Variable("MCPSM_CALLBACK_PORT") is { } variable)
        {
            return int.TryParse(variable, out var port) && port is >= 0 and <= 65535 ? port
                : throw new McpAuthException(ErrorReason.InvalidValue, "MCPSM_CALLBACK_PORT is not a port: 0 to 65535.");
        }
        return new Settings(environment).CallbackPort;
    }

    private string? MetadataUrl() =>
        (server.ClientMetadataUrl ?? new Settings(environment).ClientMetadataUrl) is { } url ? ClientRegistrar.CheckMetadataUrl(url) : null;
}
