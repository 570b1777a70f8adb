namespace McpSm.Core.Browsing;

/// <summary>A callback with the right <c>state</c>. The browser is still waiting for the page.</summary>
internal sealed class CallbackResponse(IReadOnlyDictionary<string, string> values)
{
    internal TaskCompletionSource<bool> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal TaskCompletionSource IsShown { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyDictionary<string, string> Values { get; } = values;

    /// <summary>Sends the result of the sign-in to the browser, and waits for at most a second until it is sent.</summary>
    public async Task FinishAsync(bool signedIn)
    {
        Outcome.TrySetResult(signedIn);
        await Task.WhenAny(IsShown.Task, Task.Delay(TimeSpan.FromSeconds(1))).ConfigureAwait(false);
    }
}
