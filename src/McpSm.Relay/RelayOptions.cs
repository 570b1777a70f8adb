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

    /// <summary>Receives one line for each exchange, without bodies and secrets; null for no log.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Receives one line for each message of the client that cannot be answered; null to drop it.</summary>
    public Action<string>? Warn { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
