using McpSm.Core.Grants;
using McpSm.Samples;

namespace McpSm.Core.Tests.Support;

/// <summary>The person in front of the test: opens the URL and clicks through, unless told otherwise.</summary>
public sealed class FakeUser : IAuthInteraction
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

    /// <summary>Whether there is a browser that could be opened.</summary>
    public bool OpensBrowser { get; set; } = true;

    /// <summary>The addresses that a browser was started with.</summary>
    public List<Uri> Starts { get; } = [];

    /// <summary>Where those led.</summary>
    public List<Uri> Visited { get; } = [];

    /// <summary>The authorization URL on the person's screen.</summary>
    public Uri? Shown { get; private set; }

    /// <summary>The page that the browser ended on.</summary>
    public Task<string> PageAsync() => _browsing;

    /// <summary>Opens the one-time address as a browser does; all else happens at the URL that it leads to.</summary>
    public async Task<bool> OpenBrowserAsync(Uri start, CancellationToken cancellationToken)
    {
        Starts.Add(start);
        if (!OpensBrowser)
        {
            return false;
        }
        var url = await StandInBrowser.FollowStartAsync(start, cancellationToken);
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
        return true;
    }

    public void ShowAuthorizationUrl(Uri url, bool opened) => Shown = url;

    public void ShowDeviceCode(DeviceCode code) => Device?.Invoke(code);

    public Task<string?> ReadRedirectAsync(CancellationToken cancellationToken) =>
        ReadRedirect?.Invoke(cancellationToken) ?? Task.FromResult<string?>(null);

    public void Notice(string text) => Notices.Add(text);
}
