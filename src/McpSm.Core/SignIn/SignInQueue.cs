namespace McpSm.Core.SignIn;

/// <summary>Lets one interactive sign-in run at a time: concurrent ones would compete for the user's browser and for the callback port.</summary>
internal sealed class SignInQueue
{
    private readonly SemaphoreSlim _semaphore = new(1);

    /// <summary>Waits for the sign-ins before this one.</summary>
    /// <returns>Lets the next sign-in begin when it is disposed.</returns>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _semaphore.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Releaser(_semaphore);
    }

    private sealed class Releaser(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }
}
