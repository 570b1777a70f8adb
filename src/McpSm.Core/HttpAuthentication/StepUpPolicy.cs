using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;

namespace McpSm.Core.HttpAuthentication;

/// <summary>
/// Decides whether to sign in for more scopes after a 403 with <c>insufficient_scope</c> (RFC 6750 section 3.1, rule 24 of docs/rules.md): a
/// few times at most, and never for scopes that were denied.
/// </summary>
internal sealed class StepUpPolicy
{
    /// <summary>The most sign-ins that do not help.</summary>
    public const int MaxAttempts = 3;

    private readonly HashSet<string> _denied = new(StringComparer.Ordinal);
    private int _tries;

    /// <summary>Returns the scopes to sign in for, in addition to the present ones.</summary>
    /// <exception cref="McpAuthException">InsufficientScope: signing in would not help.</exception>
    public IReadOnlyList<string> Begin(McpServer server, OAuthCredential held, ChallengeResponse answer)
    {
        _denied.UnionWith(held.DeniedScopes ?? []);
        if (answer.Scopes is not { } challenged)
        {
            throw Insufficient(server, answer, "but names none");
        }
        var missing = challenged.Except(held.Scopes).ToList();
        if (missing.Count == 0)
        {
            throw Insufficient(server, answer, "but the token has it");
        }
        if (server.Scopes.Count > 0)
        {
            throw Insufficient(server, answer, $"but the scopes to request are set to '{Scopes.Join(server.Scopes)}'");
        }
        if (missing.Any(_denied.Contains))
        {
            throw Insufficient(server, answer, "but the issuer did not grant it");
        }
        return Interlocked.Increment(ref _tries) > MaxAttempts ? throw Insufficient(server, answer, "and did so again after several sign-ins") : missing;
    }

    /// <summary>Records that a request succeeded after a sign-in for more scopes.</summary>
    public void Succeeded() => Interlocked.Exchange(ref _tries, 0);

    /// <summary>Records scopes that the person or the issuer denied.</summary>
    public void Deny(IEnumerable<string> scopes) => _denied.UnionWith(scopes);

    public static McpAuthException Insufficient(McpServer server, ChallengeResponse answer, string why)
    {
        var what = answer.Scopes is { } scopes ? $"asks for the scope '{UntrustedText.Sanitize(Scopes.Join(scopes))}'" : "reports that the token lacks a scope";
        return new McpAuthException(ErrorReason.InsufficientScope, $"'{server.Name}' {what}, {why}.",
            server.Scopes.Count > 0 ? new UpdateServerStep(server, StepOptionKind.Scope) : new SignInStep(server))
        {
            Server = server.Name,
            StatusCode = answer.Status,
        };
    }
}
