using McpSm.Relay.Channels;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>The relay, as what holds messages back sees it.</summary>
/// <param name="SendAsync">Sends a request to the server, and writes its answer.</param>
/// <param name="NotifyAsync">Sends a notification to the server.</param>
/// <param name="Explain">What to tell the client about an exception; null for one that is a bug.</param>
/// <param name="Ends">Cancelled when the relay ends.</param>
internal sealed record Upstream(Func<PendingRequest, Task> SendAsync, Func<Message, CancellationToken, Task> NotifyAsync,
    Func<Exception, RelayFailure?> Explain, CancellationToken Ends);
