using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>A request has no answer of the server. The client gets an error of the relay.</summary>
internal sealed class RequestFailedException(RelayFailure failure) : Exception(failure.Text)
{
    public RelayFailure Failure => failure;

    /// <summary>The keys of the ids in a batch that have no answer; null for all.</summary>
    public IReadOnlySet<string>? Unanswered { get; init; }
}
