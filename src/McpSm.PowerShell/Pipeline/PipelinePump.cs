using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace McpSm.PowerShell.Pipeline;

/// <summary>
/// Lets work run on the pool while everything that touches PowerShell (streams, ShouldProcess, the host, commands of
/// other modules) runs on the pipeline's thread, which waits here and does what it is asked to.
/// </summary>
internal sealed class PipelinePump
{
    private readonly BlockingCollection<Action> _asked = [];
    private readonly CancellationToken _stopping;

    /// <param name="stopping">Set by <c>StopProcessing</c>.</param>
    public PipelinePump(CancellationToken stopping) => _stopping = stopping;

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
