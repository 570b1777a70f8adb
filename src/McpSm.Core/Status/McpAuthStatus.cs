using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;
using McpSm.Core.Servers;
using McpSm.Core.Status;

namespace McpSm.Core;

/// <summary>The status of the credential of one server. Mcpsm reads it from the index, without the network or a vault.</summary>
public sealed class McpAuthStatus
{
    private readonly TimeProvider _time;

    private McpAuthStatus(McpServer server, TimeProvider time)
    {
        _time = time;
        Id = server.Id;
        Name = server.Name;
        Url = server.Url;
        Transport = server.Transport;
    }

    /// <summary>The name of the server.</summary>
    public override string ToString() => Name;

    public string Id { get; }
    public string Name { get; }
    public string Url { get; }
    public McpTransport Transport { get; }
    public CredentialKind Kind { get; private init; }

    /// <summary>Who signed in; null if there is no sign-in, or if an old version stored it.</summary>
    public SignedInBy? SignedInBy { get; private init; }

    /// <summary>How the token is sent: Bearer, or DPoP if it is bound to a key (RFC 9449); null without a token.</summary>
    public string? TokenType { get; private init; }
    public AuthState State { get; private set; }
    public DateTimeOffset? ExpiresAt { get; private init; }

    /// <summary>The time left, in whole seconds; zero if it is over, null if the token does not expire or its lifetime is unknown.</summary>
    public TimeSpan? ExpiresIn => RemainingTime.Until(ExpiresAt, _time.GetUtcNow());

    public IReadOnlyList<string> Scopes { get; private init => field = ScopeList.Create(value); } = ScopeList.None;
    public string? Issuer { get; private init; }
    public string? Vault { get; private init; }
    public bool CanRenew { get; private init; }
    public bool RenewalUncertain { get; private init; }

    /// <summary>Whether the credential waits in an encrypted file, because its vault could not be written when the token was renewed.</summary>
    public bool Pending { get; private init; }

    /// <summary>When the issuer refused a renewal for a lasting reason; null if it did not, or has renewed the token since.</summary>
    public DateTimeOffset? RenewalRefusedAt { get; private init; }

    /// <summary>The file that contains a secret of the server in plaintext, as the npm tool stores it; null if there is no such file.</summary>
    public string? PlaintextFile { get; private init; }

    /// <summary>The next command, if there is something to correct; if the index cannot be read, the reason.</summary>
    public string? Remedy { get; private set; }

    /// <summary>Reads the status of a server from the index.</summary>
    internal static McpAuthStatus Read(AppEnvironment environment, McpServer server) => Read(environment, [server], out _)[0];

    /// <summary>Reads the status of servers from the index alone.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="servers">The servers.</param>
    /// <param name="failure">Why the index cannot be read; every status is then Unknown.</param>
    public static IReadOnlyList<McpAuthStatus> Read(AppEnvironment environment, IReadOnlyList<McpServer> servers, out McpAuthException? failure)
    {
        failure = null;
        var file = new CredentialIndex(environment);
        Func<string, CredentialInfo?> facts = _ => null;
        try
        {
            if (servers.Count == 1)
            {
                var only = file.Read(servers[0].Id);
                facts = _ => only;
            }
            else
            {
                facts = file.Read().GetValueOrDefault;
            }
        }
        catch (McpAuthException e)
        {
            failure = e;
        }
        var unreadable = failure is null ? null : environment.Remedies.Explain(failure);
        var plaintext = NpmTokenFile.Ids(environment);
        var statuses = new List<McpAuthStatus>(servers.Count);
        foreach (var server in servers)
        {
            statuses.Add(Create(server, facts(server.Id), environment, unreadable, plaintext.GetValueOrDefault(server.Id)));
        }
        return statuses;
    }

    /// <param name="server">The server.</param>
    /// <param name="info">What the index says about the server; null if it has no entry.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="unreadable">Why the index cannot be read; null if it can.</param>
    /// <param name="plaintextFile">The file that contains tokens of the server in plaintext; null if there is no such file.</param>
    internal static McpAuthStatus Create(McpServer server, CredentialInfo? info, AppEnvironment environment, string? unreadable,
        string? plaintextFile)
    {
        var now = environment.Time.GetUtcNow();
        // Ignore an entry of another URL. The secret in the vault names its URL too, and decides whether it may be used.
        info = info is not null && unreadable is null && DescribesServer(info, server) ? info : null;
        var kind = info?.Kind ?? CredentialKind.None;
        if (kind == CredentialKind.None && unreadable is null && server.Plaintext.BearerToken is not null)
        {
            kind = CredentialKind.Bearer;
        }
        var (state, remedy) = unreadable is null ? Evaluate(server, kind, info, now) : (AuthState.Unknown, null);
        var file = unreadable is not null ? null : server.Plaintext.HasSecret ? "config.json" : plaintextFile;
        // The import comes first: the file may hold the very credential that is missing here.
        // If the credential is pending, the next write that succeeds takes it to its vault.
        var next = file is not null ? new ImportStep(server)
            : remedy ?? (info is { Pending: true, CanRenew: true } ? new RefreshStep(server) : null);
        return new McpAuthStatus(server, environment.Time)
        {
            Kind = kind,
            SignedInBy = info?.SignedInBy,
            TokenType = kind == CredentialKind.None ? null : info?.TokenType ?? Http.TokenType.Bearer,
            State = state,
            ExpiresAt = info?.ExpiresAt,
            Scopes = info?.Scopes ?? ScopeList.None,
            Issuer = info?.Issuer,
            Vault = info?.Vault,
            CanRenew = info?.CanRenew == true,
            // A renewal takes seconds: one that began minutes ago was killed.
            RenewalUncertain = info is not null && (info.RenewalUncertain || now - info.RenewalBegan > TimeSpan.FromMinutes(2)),
            RenewalRefusedAt = info?.RenewalRefused?.At,
            Pending = info?.Pending == true,
            PlaintextFile = file,
            Remedy = unreadable ?? environment.Remedies.Format(next),
        };
    }

    /// <summary>Returns the status with what the server's answer says about the credential.</summary>
    internal McpAuthStatus Corrected(AuthState state, string? remedy)
    {
        var copy = (McpAuthStatus)MemberwiseClone();
        copy.State = state;
        copy.Remedy = remedy;
        return copy;
    }

    private static (AuthState State, Remedy? Remedy) Evaluate(McpServer server, CredentialKind kind, CredentialInfo? info, DateTimeOffset now)
    {
        switch (kind)
        {
            case CredentialKind.Bearer:
                return (AuthState.BearerToken, null);
            case CredentialKind.OAuth when info!.ExpiresAt is { } end:
                var soon = TokenRenewer.Margin(TimeSpan.FromMinutes(5), info.IssuedAt ?? now, end);
                var state = end <= now ? AuthState.Expired : end - now < soon ? AuthState.ExpiringSoon : AuthState.Authenticated;
                return (state, state == AuthState.Authenticated ? null
                    : info.RenewalRefused is { } refused ? refused.Remedy(server, info.Resource)
                    : info.CanRenew ? new RefreshStep(server) : CredentialRemedy.ForNewCredential(server));
            case CredentialKind.OAuth:
                return (AuthState.Unknown, new TestServerStep(server));
            default:
                return server.OAuth == OAuthMode.Off || info?.AnsweredAnonymously == true ? (AuthState.NoAuth, null)
                    : (AuthState.NotAuthenticated, new SignInStep(server));
        }
    }

    // Compare the texts first: for thousands of servers, parsing the URLs would be a tenth of the work.
    internal static bool DescribesServer(CredentialInfo info, McpServer server) =>
        (info.Url == server.Url && (info.Resource is null || info.Resource == server.Url))
        || (UrlPolicy.TryParse(server.Url, out var url)
            && UrlPolicy.TryParse(info.Url, out var made) && ResourceUri.SameOrigin(made, url)
            && (info.Resource is not { } resource || resource == server.Url || ResourceUri.Covers(resource, url)));
}
