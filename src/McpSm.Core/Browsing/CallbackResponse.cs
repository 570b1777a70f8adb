namespace McpSm.Core.Browsing;

/// <summary>An answer whose <c>state</c> fits, with the browser still waiting for its page.</summary>
public sealed class CallbackResponse(IReadOnlyDictionary<string, string> values)
{
    internal TaskCompletionSource<bool> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal TaskCompletionSource IsShown { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyDictionary<string, string> Values { get; } = values;

    /// <summary>Tells the browser how the sign-in ended, and waits until it was told, a second at most.</summary>
    public async Task FinishAsync(bool signedIn)
    {
        Outcome.TrySetResult(signedIn);
        await Task.WhenAny(IsShown.Task, Task.Delay(TimeSpan.FromSeconds(1))).ConfigureAwait(false);
    }
}
