using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>A request of the client, from its arrival until its answer is written.</summary>
internal sealed class PendingRequest : IDisposable
{
    private readonly CancellationTokenSource _cancel;

    public PendingRequest(Message message, CancellationToken relay)
    {
        Message = message;
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(relay);
        Token = _cancel.Token;
    }

    public Message Message { get; }

    /// <summary>Ends the exchange with the server.</summary>
    public CancellationToken Token { get; }

    /// <summary>Completed when the body of the request was written.</summary>
    public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the client cancelled the request: its answer is dropped.</summary>
    public bool IsCancelled { get; private set; }

    public void Cancel()
    {
        IsCancelled = true;
        _cancel.Cancel();
    }

    public void Dispose() => _cancel.Dispose();
}
