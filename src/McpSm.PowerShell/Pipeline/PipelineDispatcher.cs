using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using McpSm.Core.Interruption;

namespace McpSm.PowerShell.Pipeline;

/// <summary>
/// Lets work run on the pool while everything that touches PowerShell (streams, ShouldProcess, the host, commands of
/// other modules) runs on the pipeline's thread, which waits here and does what it is asked to.
/// </summary>
internal sealed class PipelineDispatcher
{
    private readonly BlockingCollection<Action> _asked = [];
    private readonly CancellationToken _stopping;
    private readonly TokenExchangeTracker _exchanges;
    private volatile bool _givenUp;

    /// <param name="stopping">Set by <c>StopProcessing</c>.</param>
    /// <param name="exchanges">Those that the work may do.</param>
    public PipelineDispatcher(CancellationToken stopping, TokenExchangeTracker exchanges) => (_stopping, _exchanges) = (stopping, exchanges);

    /// <summary>Runs the work to its end, on whose way the calling thread does what the work asks of it.</summary>
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
                _asked.CompleteAdding();
            }
        });
        ExceptionDispatchInfo? failure = null;
        using var givingUp = _stopping.Register(() => _ = GiveUpAsync(running));
        foreach (var action in _asked.GetConsumingEnumerable())
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                // The pipeline was stopped, or what we wrote was refused: the work has nobody left to work for.
                failure ??= ExceptionDispatchInfo.Capture(e);
                cancel.Cancel();
            }
        }
        if (_givenUp && !running.IsCompleted)
        {
            // It blocks somewhere, and is left behind: nobody waits for what it may still give.
            throw new System.Management.Automation.PipelineStoppedException();
        }
        try
        {
            running.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (failure is not null)
        {
            // It ended because of that failure.
        }
        failure?.Throw();
    }

    private async Task GiveUpAsync(Task running)
    {
        for (var deadline = new InterruptionDeadline(_exchanges); !running.IsCompleted; await Task.Delay(50).ConfigureAwait(false))
        {
            if (deadline.HasPassed)
            {
                _givenUp = true;
                _asked.CompleteAdding();
                return;
            }
        }
    }

    /// <summary>Has the pipeline's thread do something, in the order of asking, without waiting for it.</summary>
    public void Post(Action action)
    {
        try
        {
            _asked.Add(action, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // The work has ended and left something running behind, whose words nobody waits for any more.
        }
    }

    /// <summary>Has the pipeline's thread do something and gives what it gave.</summary>
    public Task<T> AskAsync<T>(Func<T> ask, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            if (cancellationToken.IsCancellationRequested)
            {
                answer.TrySetCanceled(cancellationToken);
                return;
            }
            try
            {
                answer.TrySetResult(ask());
            }
            catch (Exception e)
            {
                // Goes to whoever asked; a stopped pipeline also ends the pump.
                answer.TrySetException(e);
                if (e is System.Management.Automation.PipelineStoppedException)
                {
                    throw;
                }
            }
        });
        return answer.Task.WaitAsync(cancellationToken);
    }
}
