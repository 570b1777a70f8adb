using Microsoft.AspNetCore.Http.Features;

namespace McpSm.TestServers;

/// <summary>
/// Notices at once that a request's connection is cut. Kestrel runs the callbacks of a starting response all the
/// same, and its own token is cancelled a little later.
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
