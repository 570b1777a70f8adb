using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;

namespace McpSm.Core.HttpAuthentication;

/// <summary>
/// When to sign in for more scopes after a 403 with <c>insufficient_scope</c> (RFC 6750 section 3.1, rule 24 of docs/rules.md): a few
/// times at most, and never for what was denied.
/// </summary>
internal sealed class StepUpPolicy
{
    /// <summary>The most tries that do not help.</summary>
    public const int MaxAttempts = 3;

    private readonly HashSet<string> _denied = new(StringComparer.Ordinal);
    private int _tries;

    /// <summary>The scopes to sign in for, beside those that are held.</summary>
    /// <exception cref="McpAuthException">InsufficientScope: signing in would not help.</exception>
    public IReadOnlyList<string> Begin(McpServer server, OAuthCredential held, ChallengeResponse answer)
    {
        _denied.UnionWith(held.DeniedScopes ?? []);
        if (answer.Scopes is not { } challenged)
        {
            throw Insufficient(server, answer, "and names none");
        }
        var missing = challenged.Except(held.Scopes).ToList();
        if (missing.Count == 0)
        {
            throw Insufficient(server, answer, "which the token has");
        }
        if (server.Scopes.Count > 0)
        {
            throw Insufficient(server, answer, $"and the scopes to ask for are set to '{Scopes.Join(server.Scopes)}'");
        }
        if (missing.Any(_denied.Contains))
        {
            throw Insufficient(server, answer, "which was asked for and not given");
        }
        return Interlocked.Increment(ref _tries) > MaxAttempts ? throw Insufficient(server, answer, "and signing in for more did not help") : missing;
    }

    /// <summary>A request was let in after a step-up.</summary>
    public void Succeeded() => Interlocked.Exchange(ref _tries, 0);

    /// <summary>Scopes that a person or the issuer did not give.</summary>
    public void Deny(IEnumerable<string> scopes) => _denied.UnionWith(scopes);

    public static McpAuthException Insufficient(McpServer server, ChallengeResponse answer, string why)
    {
        var what = answer.Scopes is { } scopes ? $"asks for the scope '{UntrustedText.Sanitize(Scopes.Join(scopes))}'" : "misses a scope in the token";
        return new McpAuthException(ErrorReason.InsufficientScope, $"'{server.Name}' {what}, {why}.",
            server.Scopes.Count > 0 ? new UpdateServerStep(server, StepOptionKind.Scope) : new SignInStep(server))
        {
            Server = server.Name,
            StatusCode = answer.Status,
        };
    }
}
