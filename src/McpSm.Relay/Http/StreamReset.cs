namespace McpSm.Relay.Http;

/// <summary>Closes the streams that are open at the moment, so that their readers open them again.</summary>
internal sealed class StreamReset
{
    private volatile CancellationTokenSource _current = new();

    /// <summary>Cancelled when the streams that are opened now must be closed.</summary>
    public CancellationToken Token => _current.Token;

    public void Reset()
    {
        // Readers may still link to the token of the old source, so it is left to the garbage collector. It has no timer.
        var old = Interlocked.Exchange(ref _current, new CancellationTokenSource());
        _ = old.CancelAsync();
    }
}
