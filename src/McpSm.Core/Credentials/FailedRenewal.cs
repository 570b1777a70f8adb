using System.Text.Json.Serialization;
using McpSm.Core.Errors;

namespace McpSm.Core.Credentials;

/// <summary>
/// The last renewal that got no answer, or none that could be used. It stands in the index for the processes that waited for
/// that renewal: they do not send the same again.
/// </summary>
public sealed record FailedRenewal
{
    [JsonPropertyName("at")]
    public required DateTimeOffset At { get; init; }

    /// <summary>What was told of it.</summary>
    [JsonPropertyName("why")]
    public required string Reason { get; init; }

    /// <param name="sent">Whether the refresh token was sent: before that, a cancellation says nothing to others.</param>
    internal static FailedRenewal? Create(Exception e, bool sent, DateTimeOffset now) => e switch
    {
        OperationCanceledException when sent => new() { At = now, Reason = "It was interrupted before the answer came." },
        McpAuthException { OutcomeUnknown: true } or McpAuthException { Reason: ErrorReason.ServerUnreachable } => new() { At = now, Reason = e.Message },
        _ => null,
    };
}
