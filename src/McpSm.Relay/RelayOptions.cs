using McpSm.Relay.SignIn;
using McpSm.Relay.Tools;

namespace McpSm.Relay;

/// <summary>How a relay works.</summary>
public sealed record RelayOptions
{
    /// <summary>The largest message of the client, in bytes.</summary>
    public int MaxClientMessage { get; init; } = 16 * 1024 * 1024;

    /// <summary>The largest answer or event of the server, in bytes.</summary>
    public int MaxServerMessage { get; init; } = 64 * 1024 * 1024;

    /// <summary>How long a request waits for a busy server that says when to come back (RFC 9110 section 10.2.3).</summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Whether the other transport is tried if the server does not speak that of its setting; null for the default: from Streamable HTTP, but not
    /// from HTTP+SSE.
    /// </summary>
    public bool? MayFallBack { get; init; }

    /// <summary>How long a request of the client may take; null for no limit. A subscription has no limit.</summary>
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary>How long <c>initialize</c> may take; null for <see cref="RequestTimeout"/>.</summary>
    public TimeSpan? InitializeTimeout { get; init; }

    /// <summary>Leaves tools out; null to offer all.</summary>
    public ToolFilter? Tools { get; init; }

    /// <summary>Receives one line for each exchange, without bodies and secrets; null for no log.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Receives one line for each message of the client that cannot be answered; null to drop it.</summary>
    public Action<string>? Warn { get; init; }

    /// <summary>How long a request waits for a person who signs in.</summary>
    public TimeSpan SignInTimeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>Lets a person sign in from inside the client; null to answer with an error.</summary>
    internal ISignInBroker? SignIn { get; init; }

    /// <summary>How often the relay looks whether a person has signed in.</summary>
    internal TimeSpan SignInPollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Remembers what the server says of itself; null for no memory.</summary>
    internal ServerMemory? Memory { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
