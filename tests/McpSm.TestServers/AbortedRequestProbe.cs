using Microsoft.AspNetCore.Http.Features;

namespace McpSm.TestServers;

/// <summary>
/// Detects at once that the connection of a request is closed. Kestrel still runs the callbacks of a starting response,
/// and cancels its own token a little later.
/// </summary>
internal sealed class AbortedRequestProbe(IHttpRequestLifetimeFeature inner) : IHttpRequestLifetimeFeature
{
    private volatile bool _aborted;

    public bool Aborted => _aborted;

    public CancellationToken RequestAborted
    {
        get => inner.RequestAborted;
        set => inner.RequestAborted = value;
    }

    public void Abort()
    {
        _aborted = true;
        inner.Abort();
    }
}
