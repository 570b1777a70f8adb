using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using McpSm.Core.Interruption;

namespace McpSm.PowerShell.Pipeline;

/// <summary>
/// Runs work on the thread pool, and everything that uses PowerShell (streams, ShouldProcess, the host, commands of other modules) on the
/// pipeline thread. The pipeline thread waits in <see cref="Run"/> and executes the actions that the work queues.
/// </summary>
internal sealed class PipelineDispatcher
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly BlockingCollection<Action> _queue = [];
    private readonly CancellationToken _stopping;
    private readonly TokenExchangeTracker _exchanges;
    private volatile bool _givenUp;

    /// <param name="stopping">Cancelled by <c>StopProcessing</c>.</param>
    /// <param name="exchanges">The token exchanges of the work. An exchange that has begun gets more time to finish.</param>
    public PipelineDispatcher(TokenExchangeTracker exchanges, CancellationToken stopping) => (_stopping, _exchanges) = (stopping, exchanges);

    /// <summary>Runs the work until it ends. The calling thread executes the queued actions meanwhile.</summary>
    public void Run(Func<CancellationToken, Task> work)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(_stopping);
        var running = Task.Run(async () =>
        {
            try
            {
                await work(cancel.Token).ConfigureAwait(false);
            }
            finally
            {
                _queue.CompleteAdding();
            }
        });
        ExceptionDispatchInfo? failure = null;
        using var givingUp = _stopping.Register(() => _ = GiveUpAsync(running));
        foreach (var action in _queue.GetConsumingEnumerable())
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                // The pipeline was stopped, or a write failed: cancel the work, because its output has no receiver.
                failure ??= ExceptionDispatchInfo.Capture(e);
                cancel.Cancel();
            }
        }
        if (_givenUp && !running.IsCompleted)
        {
            // The work blocks and ignores the cancellation. It is abandoned with its result.
            throw new System.Management.Automation.PipelineStoppedException();
        }
        try
        {
            running.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // The failure above cancelled the work, and is thrown below.
        }
        failure?.Throw();
    }

    private async Task GiveUpAsync(Task running)
    {
        for (var deadline = new InterruptionDeadline(_exchanges); !running.IsCompleted; await Task.Delay(PollInterval, _exchanges.Time).ConfigureAwait(false))
        {
            if (deadline.HasPassed)
            {
                _givenUp = true;
                _queue.CompleteAdding();
                return;
            }
        }
    }

    /// <summary>Queues an action for the pipeline thread and returns at once. Actions run in the order in which they were queued.</summary>
    public void Post(Action action)
    {
        try
        {
            _queue.Add(action, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // The work has ended, but a task that it started still writes. Its output is discarded.
        }
    }

    /// <summary>Runs a function on the pipeline thread and returns its result.</summary>
    public Task<T> AskAsync<T>(Func<T> function, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            if (cancellationToken.IsCancellationRequested)
            {
                result.TrySetCanceled(cancellationToken);
                return;
            }
            try
            {
                result.TrySetResult(function());
            }
            catch (Exception e)
            {
                // The caller gets the exception. A stopped pipeline also ends Run.
                result.TrySetException(e);
                if (e is System.Management.Automation.PipelineStoppedException)
                {
                    throw;
                }
            }
        });
        return result.Task.WaitAsync(cancellationToken);
    }
}
