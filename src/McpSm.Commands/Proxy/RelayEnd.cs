using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Interruption;

namespace McpSm.Commands.Proxy;

/// <summary>Ends the work for credentials when a relay ends.</summary>
internal static class RelayEnd
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    // For work that was cancelled and has nothing to keep.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(100);

    // The time to store the result of a renewal.
    private static readonly TimeSpan StorageTime = TimeSpan.FromSeconds(1);

    /// <summary>Waits until the tokens of a renewal in flight are stored, because its refresh token may be spent. Other work is not waited for.</summary>
    public static async Task WaitAsync(IEnumerable<AuthenticatingHandler> handlers, AppEnvironment environment)
    {
        var ending = Task.WhenAll(handlers.Select(handler => handler.EndAsync()));
        var began = environment.Time.GetTimestamp();
        while (!ending.IsCompleted
            && environment.Time.GetElapsedTime(began) < (environment.Exchanges.AnyRunning ? TokenExchange.Limit + StorageTime : Grace))
        {
            await Task.WhenAny(ending, Task.Delay(Step, environment.Time)).ConfigureAwait(false);
        }
    }
}
