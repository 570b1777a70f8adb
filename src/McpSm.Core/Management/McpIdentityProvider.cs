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

    /// <summary>Whether it is the identity provider in the settings.</summary>
    public bool IsSet { get; internal init; }

    /// <summary>The client id in the settings; null if Mcpsm registers a client.</summary>
    public string? ClientId { get; internal init; }

    /// <summary>The scopes in the settings, which are requested in addition to <c>openid</c>.</summary>
    public IReadOnlyList<string> Scopes { get; internal init => field = ScopeList.Create(value); } = ScopeList.None;

    /// <summary>Whether there is a session that is valid or can be renewed.</summary>
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

    /// <summary>Whether the session waits in an encrypted file, because its vault could not be written when it was renewed.</summary>
    public bool Pending { get; internal init; }

    /// <summary>The servers that are signed in to through it, by name.</summary>
    public IReadOnlyList<string> Servers { get; internal init => field = new DisplayList([.. value]); } = new DisplayList([]);

    /// <summary>The next command, if there is something to correct.</summary>
    public string? Remedy { get; internal init; }
}
