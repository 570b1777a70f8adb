using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Status;

namespace McpSm.Core;

/// <summary>How things stand with an identity provider, from facts alone: no network, no vault.</summary>
public sealed class McpIdentityProvider
{
    private readonly TimeProvider _time;

    internal McpIdentityProvider(string issuer, TimeProvider time) => (Issuer, _time) = (issuer, time);

    /// <summary>The issuer identifier.</summary>
    public override string ToString() => Issuer;

    /// <summary>Its issuer identifier.</summary>
    public string Issuer { get; }

    /// <summary>Whether it is the one that is set for the whole catalog.</summary>
    public bool IsSet { get; internal init; }

    /// <summary>The client that is set for it; null where we register ourselves.</summary>
    public string? ClientId { get; internal init; }

    /// <summary>What is set to be asked for beside <c>openid</c>.</summary>
    public IReadOnlyList<string> Scopes { get; internal init => field = ScopeList.Create(value); } = ScopeList.None;

    /// <summary>Whether a session holds, or can be renewed.</summary>
    public bool SignedIn { get; internal init; }

    /// <summary>When a person signed in; null if no person has since the last sign-out.</summary>
    public DateTimeOffset? SignedInAt { get; internal init; }

    /// <summary>When its ID token expires; after that a person must sign in again, unless the session can be renewed.</summary>
    public DateTimeOffset? ExpiresAt { get; internal init; }

    /// <summary>The time left until <see cref="ExpiresAt"/>, in whole seconds; zero if it is over, null without a session.</summary>
    public TimeSpan? ExpiresIn => RemainingTime.Until(ExpiresAt, _time.GetUtcNow());

    /// <summary>Whether the session is renewed without a person.</summary>
    public bool CanRenew { get; internal init; }

    public string? Vault { get; internal init; }

    /// <summary>The session waits in an encrypted file for its vault, which could not be written when it was renewed.</summary>
    public bool Pending { get; internal init; }

    /// <summary>The servers that are signed in to through it, by name.</summary>
    public IReadOnlyList<string> Servers { get; internal init => field = new DisplayList([.. value]); } = new DisplayList([]);

    /// <summary>The exact next command, where there is something to mend.</summary>
    public string? Remedy { get; internal init; }
}
