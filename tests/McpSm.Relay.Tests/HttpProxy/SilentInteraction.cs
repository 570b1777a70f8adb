using McpSm.Core;
using McpSm.Core.Grants;

namespace McpSm.Relay.Tests.HttpProxy;

/// <summary>A user who cannot answer, as behind a proxy.</summary>
internal sealed class SilentInteraction : IAuthInteraction
{
    public bool CanAnswer => false;

    public void ShowAuthorizationUrl(Uri url, bool opened)
    {
    }

    public void ShowDeviceCode(DeviceCode code)
    {
    }

    public Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken) => Task.FromResult(false);

    public Task<string?> ReadRedirectAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public void Notice(string text)
    {
    }

    public void Warn(string text)
    {
    }
}
