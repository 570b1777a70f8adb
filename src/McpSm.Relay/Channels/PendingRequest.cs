using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>A request of the client, from its arrival until its answer is written.</summary>
internal sealed class PendingRequest : IDisposable
{
    private readonly CancellationTokenSource _cancel;
    private ITimer? _timer;
    private readonly Lock _gate = new();
    private bool _isDisposed;

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

    /// <summary>Ends the exchange, unless it has ended.</summary>
    public void Cancel()
    {
        IsCancelled = true;
        End();
    }

    /// <summary>Ends the exchange after a time.</summary>
    public void LimitTo(TimeSpan limit, TimeProvider time) => _timer = time.CreateTimer(_ =>
    {
        HasTimedOut = true;
        End();
    }, null, limit, Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _timer?.Dispose();
        lock (_gate)
        {
            _isDisposed = true;
            _cancel.Dispose();
        }
    }

    private void End()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                // What waits for the token continues on other threads, not here under the lock.
                _ = _cancel.CancelAsync();
            }
        }
    }
}
