namespace McpSm.Core.Browsing;

/// <summary>A callback with the right <c>state</c>. The browser is still waiting for the page.</summary>
/// <param name="values">The parameters of the callback.</param>
/// <param name="time">The clock of the time limit.</param>
internal sealed class CallbackResponse(IReadOnlyDictionary<string, string> values, TimeProvider time)
{
    private static readonly TimeSpan ShowTimeout = TimeSpan.FromSeconds(1);

    internal TaskCompletionSource<bool> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal TaskCompletionSource IsShown { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyDictionary<string, string> Values { get; } = values;

    /// <summary>Sends the result of the sign-in to the browser, and waits for at most a second until it is sent.</summary>
    public async Task FinishAsync(bool signedIn)
    {
        Outcome.TrySetResult(signedIn);
        using var limit = new CancellationTokenSource(ShowTimeout, time);
        await IsShown.Task.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
