using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>A request of the client, from its arrival until its answer is written.</summary>
internal sealed class PendingRequest : IDisposable
{
    private readonly CancellationTokenSource _cancel;
    private ITimer? _timer;

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

    /// <summary>Whether the request took too long.</summary>
    public bool HasTimedOut { get; private set; }

    public void Cancel()
    {
        IsCancelled = true;
        _cancel.Cancel();
    }

    /// <summary>Ends the exchange after a time.</summary>
    public void LimitTo(TimeSpan limit, TimeProvider time) => _timer = time.CreateTimer(_ =>
    {
        HasTimedOut = true;
        try
        {
            _cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer came at this very moment.
        }
    }, null, limit, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _timer?.Dispose();
        _cancel.Dispose();
    }
}
