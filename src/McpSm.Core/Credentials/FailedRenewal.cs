using System.Text.Json.Serialization;
using McpSm.Core.Errors;

namespace McpSm.Core.Credentials;

/// <summary>
/// The last renewal that got no usable answer. It is in the index for the processes that waited for that renewal, so that they do not
/// send the same request again.
/// </summary>
internal sealed record FailedRenewal
{
    [JsonPropertyName("at")]
    public required DateTimeOffset At { get; init; }

    /// <summary>The message of the failure.</summary>
    [JsonPropertyName("why")]
    public required string Reason { get; init; }

    /// <summary>Creates the record of a failure that other processes must know of; null for any other failure.</summary>
    /// <param name="e">The failure.</param>
    /// <param name="sent">Whether the refresh token was sent. A cancellation before that does not concern other processes.</param>
    /// <param name="now">The time of the failure.</param>
    internal static FailedRenewal? Create(Exception e, bool sent, DateTimeOffset now) => e switch
    {
        OperationCanceledException when sent => new() { At = now, Reason = "The renewal was interrupted before the answer arrived." },
        McpAuthException { OutcomeUnknown: true } or McpAuthException { Reason: ErrorReason.ServerUnreachable } => new() { At = now, Reason = e.Message },
        _ => null,
    };
}
