using McpSm.Core.Grants;
using McpSm.Samples;

namespace McpSm.Core.Tests;

/// <summary>The person in front of the test: opens the URL and clicks through, unless told otherwise.</summary>
public sealed class Person : IAuthInteraction
{
    private Task<string> _browsing = Task.FromResult("");

    public bool CanAnswer { get; set; } = true;

    /// <summary>What happens in the browser in place of clicking through.</summary>
    public Func<Uri, Task>? Browse { get; set; }

    /// <summary>What happens before the browser is there.</summary>
    public Action<Uri>? Opening { get; set; }

    /// <summary>What the person does on seeing a device code.</summary>
    public Action<DeviceCode>? Device { get; set; }

    /// <summary>What the person pastes; by default nothing ever.</summary>
    public Func<CancellationToken, Task<string?>>? ReadRedirect { get; set; }

    public List<string> Notices { get; } = [];

    /// <summary>Where a browser was opened.</summary>
    public List<Uri> Visited { get; } = [];

    /// <summary>The authorization URL on the person's screen.</summary>
    public Uri? Shown { get; private set; }

    /// <summary>The page that the browser ended on.</summary>
    public Task<string> PageAsync() => _browsing;

    public Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken)
    {
        Visited.Add(url);
        Opening?.Invoke(url);
        _browsing = Task.Run(async () =>
        {
            if (Browse is not null)
            {
                await Browse(url);
                return "";
            }
            using var answer = await StandInBrowser.ClickThroughAsync(url, cancellationToken: CancellationToken.None);
            return await answer.Content.ReadAsStringAsync(CancellationToken.None);
        }, CancellationToken.None);
        return Task.FromResult(true);
    }

    public void ShowAuthorizationUrl(Uri url, bool opened) => Shown = url;

    public void ShowDeviceCode(DeviceCode code) => Device?.Invoke(code);

    public Task<string?> ReadRedirectAsync(CancellationToken cancellationToken) =>
        ReadRedirect?.Invoke(cancellationToken) ?? Task.FromResult<string?>(null);

    public void Notice(string text) => Notices.Add(text);
}
