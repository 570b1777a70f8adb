using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core;

/// <remarks>Signing in and out.</remarks>
public sealed partial class Authenticator
{
    // Of many sign-ins at once each has the person's browser, and the callback port, to itself.
    private readonly SemaphoreSlim _person = new(1);

    /// <summary>Signs in.</summary>
    /// <exception cref="McpAuthException">OAuthDisabled, InteractionRequired, and the reasons of every step.</exception>
    public Task<SignInResult> ConnectAsync(McpServer server, SignInOptions options, CancellationToken cancellationToken) =>
        ConnectAsync(server, options, null, cancellationToken);

    /// <param name="refusal">The answer to a request that is repeated afterwards; null where there is none.</param>
    internal async Task<SignInResult> ConnectAsync(McpServer server, SignInOptions options, RefusedRequest? refusal,
        CancellationToken cancellationToken)
    {
        if (server.OAuth == OAuthMode.Off)
        {
            throw new McpAuthException(ErrorReason.OAuthDisabled, $"Signing in to '{server.Name}' is off.",
                new UpdateServerStep(server, StepOptionKind.OAuthOn))
            { Server = server.Name };
        }
        try
        {
            var client = options.IdentityProvider is not null ? null
                : await _ownClient.FindAsync(server, options, cancellationToken).ConfigureAwait(false);
            if (client is null && !_identity.CanSignInTo(server, options))
            {
                SignInFlow.RequirePerson(server, _interaction);
            }
            ServerUrl.RequireSecure(server);
            using var turn = client is null ? await EnterAsync(cancellationToken).ConfigureAwait(false) : null;
            var signedIn = await _signIn.RunAsync(server, options, client, refusal, cancellationToken).ConfigureAwait(false);
            return signedIn is var (now, unproven) ? new SignInResult(now, Status(now), SignInOutcome.SignedIn, unproven)
                : new SignInResult(server, Status(server), SignInOutcome.NeedsNone);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name, SignInRemedy.ForSignIn(server, e, null));
        }
    }

    private async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _person.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(_person);
    }

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }

    /// <summary>Makes sure of a usable credential: what is valid stays, what can be renewed is renewed, else signs in.</summary>
    /// <exception cref="McpAuthException">As <see cref="ConnectAsync"/>; also where renewal fails for now (ServerUnreachable).</exception>
    public async Task<SignInResult> EnsureConnectedAsync(McpServer server, SignInOptions options, CancellationToken cancellationToken)
    {
        var status = Status(server);
        if (status.State is AuthState.Authenticated or AuthState.BearerToken or AuthState.NoAuth
            || status is { State: AuthState.Unknown, Kind: CredentialKind.OAuth })
        {
            return new SignInResult(server, status, SignInOutcome.Valid);
        }
        if (status.CanRenew)
        {
            try
            {
                await RenewAsync(server, await ReadOAuthAsync(server, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                return new SignInResult(server, Status(server), SignInOutcome.Renewed);
            }
            catch (McpAuthException e) when (status.SignedInBy == SignedInBy.Workload)
            {
                // Rule 36 of docs/rules.md: no other grant takes the place of its own, and that one is not repeated.
                throw e.For(server.Name);
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.RefreshTokenRejected or ErrorReason.AuthenticationRequired)
            {
                _interaction.Notice($"'{server.Name}': {e.Message}");
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.ClientRejected)
            {
                // A client signed in here: a person does not take its place unasked.
                var given = await _ownClient.FindReplacementAsync(server, cancellationToken).ConfigureAwait(false);
                options = given is null ? throw e.For(server.Name) : options with { ClientCredentials = given };
            }
        }
        return await ConnectAsync(server, options with { NamedByUser = false }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Does not keep a token that was just given and that the server refuses.</summary>
    internal async Task<McpAuthException> RemoveCredentialAsync(McpServer server, OAuthCredential credential) =>
        (await _signIn.DropAsync(server, credential, null).ConfigureAwait(false)).For(server.Name);

    /// <summary>Signs out: revokes the OAuth tokens where the issuer can, and removes them whatever it answers.</summary>
    /// <param name="local">Does not tell the issuer.</param>
    public Task<SignOutResult> DisconnectAsync(McpServer server, bool local, CancellationToken cancellationToken) =>
        _signOut.RunAsync(server, local, keepBearer: true, cancellationToken);

    /// <summary>Removes every credential of the server, bearer and OAuth, revoking as sign-out does.</summary>
    public async Task<SignOutResult> ClearAsync(McpServer server, CancellationToken cancellationToken)
    {
        var result = await _signOut.RunAsync(server, local: false, keepBearer: false, cancellationToken).ConfigureAwait(false);
        await _secrets.RemovePlaintextAsync(server, cancellationToken).ConfigureAwait(false);
        return result;
    }
}
