using System.Diagnostics.CodeAnalysis;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Registration;

namespace McpSm.Core.SignIn;

/// <remarks>
/// A registration that the issuer may have forgotten. Few issuers say so: some show an error page to the person alone, some
/// refuse the code with an error of their own.
/// </remarks>
internal sealed partial class InteractiveSignIn
{
    // The kept registration that this sign-in uses another client in place of. It stays until the sign-in has succeeded.
    private ClientRegistration? _replaced;

    // Whether the issuer said in this sign-in that it does not know the client.
    private bool _isForgotten;

    private bool IsDoubted(ClientRegistration? kept) => kept is not null && _issuer.RegistrationEndpoint is not null && clients.IsDoubted(kept);

    /// <summary>The registrations of earlier sign-ins that this one may use, the best one first.</summary>
    /// <param name="again">Whether the sign-in begins again, because the issuer refused the client or its scopes.</param>
    private IEnumerable<ClientRegistration> Usable(ClientRegistration? kept, bool again)
    {
        if (kept is not null && !again && !IsDoubted(kept))
        {
            yield return kept;
        }
        // An issuer that has forgotten one client has probably forgotten the other as well.
        if (kept?.Candidate is { } candidate && !_isForgotten && !(_scopes ?? []).Except(candidate.Scopes ?? []).Any())
        {
            yield return candidate;
        }
    }

    private ClientRegistration Use(ClientRegistration known, ClientRegistration? kept)
    {
        _replaced = known == kept ? null : kept;
        return _registration = _kept = known;
    }

    /// <summary>Registers a client. It takes the place of a kept one only after the sign-in: that one may still be good.</summary>
    private async Task<ClientRegistration> RegisterAsync(ClientRegistration? kept, RegisteredRedirectUri redirect, bool again, CancellationToken cancellationToken)
    {
        if (!again && IsDoubted(kept))
        {
            interaction.Notice($"{UntrustedText.Sanitize(_issuer.Issuer)} may have forgotten the client of an earlier sign-in; another one is registered.");
        }
        var registered = await Registering.RunAsync(redirect, _scopes ?? kept?.Scopes, cancellationToken).ConfigureAwait(false);
        _replaced = kept;
        await clients.StoreAsync(server, kept is null ? registered : kept with { Candidate = registered }, options.Vault, cancellationToken).ConfigureAwait(false);
        return registered;
    }

    /// <summary>Whether to go on with the doubted client: an issuer that was only slow then loses us nothing.</summary>
    private bool MayUseDoubted([NotNullWhen(true)] ClientRegistration? kept, McpAuthException registering) =>
        IsDoubted(kept) && registering.Reason is ErrorReason.ClientRegistrationFailed or ErrorReason.ServerUnreachable;

    private ClientRegistration UseDoubted(ClientRegistration kept, McpAuthException registering)
    {
        interaction.Notice($"The client of an earlier sign-in is used once more. {registering.Message}");
        return Use(kept, kept);
    }

    /// <summary>After a sign-in: its registration is good, and takes the place of the one before.</summary>
    private async Task SettleRegistrationAsync()
    {
        if (_registration is not { } used)
        {
            return;
        }
        try
        {
            if (_replaced is null)
            {
                await clients.MarkUsedAsync(server, used, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            using var held = await LockClientAsync(CancellationToken.None).ConfigureAwait(false);
            await clients.StoreAsync(server, used, options.Vault, CancellationToken.None).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            // The tokens are here and matter more: at worst the next sign-in registers once more.
            interaction.Warn($"The registration with {UntrustedText.Sanitize(_issuer.Issuer)} could not be kept. {e.Message}");
        }
    }

    private bool SuggestsForgottenClient(McpAuthException e) => _issuer.RegistrationEndpoint is not null && DoubtfulRefusal.Is(e);

    private async Task DoubtAsync(ClientRegistration kept)
    {
        try
        {
            // Drop a candidate at once: the registration that it was to replace is still there.
            await (_replaced is null ? clients.MarkDoubtedAsync(kept, CancellationToken.None)
                : clients.DropCandidateAsync(server, kept, options.Vault, CancellationToken.None)).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            // What ended the sign-in matters more.
            interaction.Warn($"It could not be noted that {UntrustedText.Sanitize(_issuer.Issuer)} may have forgotten this client. {e.Message}");
        }
    }

    /// <summary>What to tell of a sign-in as a kept client that was not finished in time.</summary>
    /// <param name="message">What happened.</param>
    private async Task<McpAuthException> ExplainSilenceAsync(string message)
    {
        if (_issuer.RegistrationEndpoint is null)
        {
            return new McpAuthException(ErrorReason.AuthenticationTimeout, message, Command(StepOptionKind.Timeout));
        }
        if (_started || target.IsIdentityProvider)
        {
            await DoubtAsync(_kept!).ConfigureAwait(false);
            return new McpAuthException(ErrorReason.AuthenticationTimeout,
                $"{message} The issuer may have forgotten this client: the next sign-in registers another one.", Command(StepOptionKind.Timeout));
        }
        return new McpAuthException(ErrorReason.AuthenticationTimeout,
            $"{message} If you saw an error page, the issuer may have forgotten this client: drop it, then sign in again.",
            new ForgetClientStep(server));
    }
}
