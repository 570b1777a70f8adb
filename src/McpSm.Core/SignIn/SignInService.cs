using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Interaction;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>Signs in to servers and out of them.</summary>
public sealed class SignInService
{
    private readonly AuthContext _context;
    private readonly SignInFlow _flow;
    private readonly UnattendedClientResolver _unattended;
    private readonly SignOutFlow _signOut;
    private readonly TokenService _tokens;

    internal SignInService(AuthContext context, SignInFlow flow, UnattendedClientResolver unattended, SignOutFlow signOut, TokenService tokens)
    {
        _context = context;
        _flow = flow;
        _unattended = unattended;
        _signOut = signOut;
        _tokens = tokens;
    }

    /// <summary>Shared with the sign-ins to identity providers.</summary>
    internal SignInQueue Queue { get; init; } = new();

    /// <summary>Signs in, and replaces the credential that the server has.</summary>
    /// <exception cref="McpAuthException">OAuthDisabled, InteractionRequired, and the reasons of every step.</exception>
    public Task<SignInResult> SignInAsync(McpServer server, SignInOptions options, CancellationToken cancellationToken) =>
        SignInAsync(server, options, null, cancellationToken);

    /// <summary>
    /// Ensures that the server has a usable credential: keeps a valid one, renews one that can be renewed, and signs in otherwise.
    /// </summary>
    /// <exception cref="McpAuthException">As <see cref="SignInAsync(McpServer, SignInOptions, CancellationToken)"/>; ServerUnreachable if a renewal
    /// fails temporarily.</exception>
    public async Task<SignInResult> EnsureSignedInAsync(McpServer server, SignInOptions options, CancellationToken cancellationToken)
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
                var stored = await _tokens.ReadOAuthAsync(server, cancellationToken).ConfigureAwait(false);
                await _tokens.RenewAsync(server, stored, cancellationToken).ConfigureAwait(false);
                return new SignInResult(server, Status(server), SignInOutcome.Renewed);
            }
            catch (McpAuthException e) when (status.SignedInBy == SignedInBy.Workload)
            {
                // Rule 36 of docs/rules.md: a workload's grant is neither replaced by another nor repeated.
                throw e.For(server.Name);
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.RefreshTokenRejected or ErrorReason.AuthenticationRequired)
            {
                _context.Interaction.Notice($"'{server.Name}': {e.Message}");
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.ClientRejected)
            {
                // A client signed in here. A person must not replace it without being asked to.
                var replacement = await _unattended.FindReplacementAsync(server, cancellationToken).ConfigureAwait(false);
                options = replacement is null ? throw e.For(server.Name) : options with { ClientCredentials = replacement };
            }
        }
        return await SignInAsync(server, options with { NamedByUser = false }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Signs out: revokes the OAuth tokens if the issuer supports that, and removes them whatever it answers.</summary>
    /// <param name="server">The server.</param>
    /// <param name="local">Sends nothing to the issuer.</param>
    /// <param name="cancellationToken">Cancels the revocation; the tokens are removed all the same.</param>
    public Task<SignOutResult> SignOutAsync(McpServer server, bool local, CancellationToken cancellationToken) =>
        _signOut.RunAsync(server, local, keepBearer: true, cancellationToken);

    /// <summary>Signs in.</summary>
    /// <param name="server">The server.</param>
    /// <param name="options">How to sign in.</param>
    /// <param name="refusal">The response to a request that is repeated after the sign-in; null if there is no such request.</param>
    /// <param name="cancellationToken">Cancels the sign-in.</param>
    internal async Task<SignInResult> SignInAsync(McpServer server, SignInOptions options, RefusedRequest? refusal, CancellationToken cancellationToken)
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
                : await _unattended.FindAsync(server, options, cancellationToken).ConfigureAwait(false);
            if (client is null && !_flow.MayUseIdentityProvider(server, options))
            {
                SignInFlow.RequirePerson(server, _context.Interaction);
            }
            ServerUrl.RequireSecure(server);
            using var turn = client is null ? await Queue.EnterAsync(cancellationToken).ConfigureAwait(false) : null;
            var signedIn = await _flow.RunAsync(server, options, client, refusal, cancellationToken).ConfigureAwait(false);
            return signedIn is var (updated, failure) ? new SignInResult(updated, Status(updated), SignInOutcome.SignedIn, failure)
                : new SignInResult(server, Status(server), SignInOutcome.NeedsNone);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name, SignInRemedy.ForSignIn(server, e, null));
        }
    }

    /// <summary>Removes a credential that the server refused right after the sign-in that gave it.</summary>
    internal async Task<McpAuthException> RemoveCredentialAsync(McpServer server, OAuthCredential credential) =>
        (await _flow.DropAsync(server, credential, null).ConfigureAwait(false)).For(server.Name);

    private McpAuthStatus Status(McpServer server) => McpAuthStatus.Read(_context.Environment, server);
}
