using McpSm.Core;
using McpSm.Core.Browsing;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Relay.SignIn;

namespace McpSm.Commands.Proxy;

/// <summary>
/// Signs in to a server in processes of their own, one at a time over all relays. A lock says which relay asks its person, and a note forbids a
/// second browser for a while.
/// </summary>
internal sealed class DetachedSignIn(McpServer server, AppEnvironment environment, OwnProgram program) : ISignInBroker
{
    private readonly CredentialIndex _index = new(environment);
    private readonly SignInNote _note = new(RelayFiles.SignIn(environment, server.Id), environment.Time);
    private CredentialInfo? _refused;

    public bool IsForPerson => server.OAuth != OAuthMode.Off
        && Status() is { Kind: not CredentialKind.Bearer, SignedInBy: null or SignedInBy.Person or SignedInBy.IdentityProvider };

    public bool IsSignedIn => IsUsable(Status());

    public bool HasDesktop => new BrowserLauncher(environment).HasDesktop;

    public void NoteRefusal() => _refused = Read();

    public bool HasNewCredential() => IsUsable(Status()) && Read() is var current && !IsSame(current, _refused);

    public ISignInAttempt? TryBegin()
    {
        if (environment.TryLock($"relay-sign-in-{server.Id}") is not { } held)
        {
            return null;
        }
        if (_note.IsRecent)
        {
            held.Dispose();
            return null;
        }
        return new DetachedAttempt(server, environment, program, _note, held);
    }

    public bool HasEndedElsewhere() => _note.HasEnded;

    private McpAuthStatus Status() => McpAuthStatus.Read(environment, server);

    private CredentialInfo? Read()
    {
        try
        {
            return _index.Read(server.Id);
        }
        catch (McpAuthException)
        {
            // The status says that the index cannot be read, and the credential does not count as usable.
            return null;
        }
    }

    private static bool IsUsable(McpAuthStatus status) =>
        status.State is AuthState.Authenticated or AuthState.ExpiringSoon or AuthState.BearerToken or AuthState.NoAuth
        || status is { State: AuthState.Unknown, Kind: CredentialKind.OAuth } or { CanRenew: true, RenewalRefusedAt: null, Kind: not CredentialKind.None };

    private static bool IsSame(CredentialInfo? one, CredentialInfo? other) => one?.Kind == other?.Kind && one?.IssuedAt == other?.IssuedAt
        && one?.ExpiresAt == other?.ExpiresAt && one?.Issuer == other?.Issuer
        && one?.Vault == other?.Vault && one?.AnsweredAnonymously == other?.AnsweredAnonymously;
}
