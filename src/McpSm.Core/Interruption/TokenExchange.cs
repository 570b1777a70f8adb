namespace McpSm.Core.Interruption;

/// <summary>
/// A token exchange that uses up something, such as a refresh token, from the request until the result is stored. If the operation is cancelled
/// during the exchange, the exchange continues for at most <see cref="Limit"/>. The code that stores the result calls <see cref="Complete"/>.
/// </summary>
internal sealed class TokenExchange : IDisposable
{
    /// <summary>How long to wait for a response after the operation was cancelled.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private readonly TokenExchangeTracker _tracker;
    private readonly TimeProvider _time;
    private readonly CancellationToken _operation;
    private readonly CancellationTokenSource _cancel = new();
    private readonly CancellationTokenRegistration _registration;
    private ITimer? _limit;
    private bool _isRunning;
    private bool _disposed;

    internal TokenExchange(TokenExchangeTracker tracker, TimeProvider time, CancellationToken operation)
    {
        (_tracker, _time, _operation) = (tracker, time, operation);
        _registration = operation.Register(Interrupt);
    }

    /// <summary>Whether the exchange has begun and not ended: the request may have used up the token.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
            {
                return _isRunning;
            }
        }
    }

    /// <summary>The token for the request. It is cancelled with the operation, or <see cref="Limit"/> later if the exchange had begun.</summary>
    public CancellationToken Token => _cancel.Token;

    /// <summary>Begins the exchange unless it is already running. Call this before a request that uses up something.</summary>
    /// <exception cref="OperationCanceledException">The operation was already cancelled.</exception>
    public void Begin()
    {
        lock (_gate)
        {
            if (_isRunning)
            {
                return;
            }
            _operation.ThrowIfCancellationRequested();
            _isRunning = true;
            _tracker.Add(1);
        }
    }

    /// <summary>Ends the exchange: nothing was used up, or the result is stored.</summary>
    /// <exception cref="OperationCanceledException">The operation was cancelled during the exchange.</exception>
    public void Complete()
    {
        End();
        _operation.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        End();
        _registration.Dispose();
        lock (_gate)
        {
            _disposed = true;
            _limit?.Dispose();
        }
        _cancel.Dispose();
    }

    private void End()
    {
        lock (_gate)
        {
            if (_isRunning)
            {
                _isRunning = false;
                _tracker.Add(-1);
            }
        }
    }

    private void Interrupt()
    {
        lock (_gate)
        {
            if (_isRunning)
            {
                _limit ??= _time.CreateTimer(_ => Cancel(), null, Limit, Timeout.InfiniteTimeSpan);
                return;
            }
        }
        Cancel();
    }

    private void Cancel()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }
        }
        try
        {
            _cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The exchange was disposed at the same time.
        }
    }
}
