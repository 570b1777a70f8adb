namespace McpSm.Core.Interruption;

/// <summary>
/// One exchange that spends something, from the request until its result is stored. Meanwhile the operation's cancellation is
/// only noted: the answer is awaited for at most <see cref="Limit"/> more, and whoever stores it calls <see cref="Complete"/>.
/// </summary>
public sealed class TokenExchange : IDisposable
{
    /// <summary>How long an answer is awaited after the operation was cancelled.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private readonly TokenExchangeTracker _all;
    private readonly TimeProvider _time;
    private readonly CancellationToken _operation;
    private readonly CancellationTokenSource _cancel = new();
    private readonly CancellationTokenRegistration _registration;
    private ITimer? _limit;
    private bool _goesOn;
    private bool _disposed;

    internal TokenExchange(TokenExchangeTracker all, TimeProvider time, CancellationToken operation)
    {
        (_all, _time, _operation) = (all, time, operation);
        _registration = operation.Register(Interrupt);
    }

    /// <summary>Whether it has begun and not ended: what was sent may be spent.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_gate)
            {
                return _goesOn;
            }
        }
    }

    /// <summary>For the request: cancelled with the operation, or <see cref="Limit"/> later if the exchange had begun by then.</summary>
    public CancellationToken Token => _cancel.Token;

    /// <summary>Begins the exchange, if it does not go on already: what follows spends something.</summary>
    /// <exception cref="OperationCanceledException">The operation was cancelled before.</exception>
    public void Begin()
    {
        lock (_gate)
        {
            if (_goesOn)
            {
                return;
            }
            _operation.ThrowIfCancellationRequested();
            _goesOn = true;
            _all.Add(1);
        }
    }

    /// <summary>Ends the exchange: nothing was spent, or the result is stored.</summary>
    /// <exception cref="OperationCanceledException">The operation was cancelled in the meantime.</exception>
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
            if (_goesOn)
            {
                _goesOn = false;
                _all.Add(-1);
            }
        }
    }

    private void Interrupt()
    {
        lock (_gate)
        {
            if (_goesOn)
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
            // The exchange ended at this very moment.
        }
    }
}
