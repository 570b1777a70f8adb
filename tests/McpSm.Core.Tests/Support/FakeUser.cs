using McpSm.Core.Grants;
using McpSm.Samples;

namespace McpSm.Core.Tests.Support;

/// <summary>A simulated user, who opens the URL and clicks through by default.</summary>
public sealed class FakeUser : IAuthInteraction
{
    private Task<string> _browsing = Task.FromResult("");

    public bool CanAnswer { get; set; } = true;

    /// <summary>Replaces the clicks in the browser.</summary>
    public Func<Uri, Task>? Browse { get; set; }

    /// <summary>Runs before the browser opens.</summary>
    public Action<Uri>? Opening { get; set; }

    /// <summary>Runs when a device code is shown.</summary>
    public Action<DeviceCode>? Device { get; set; }

    /// <summary>Returns the text that the user pastes. By default, the user pastes nothing.</summary>
    public Func<CancellationToken, Task<string?>>? ReadRedirect { get; set; }

    public List<string> Notices { get; } = [];

    public List<string> Warnings { get; } = [];

    /// <summary>Whether a browser can be opened.</summary>
    public bool OpensBrowser { get; set; } = true;

    /// <summary>The start links that the browser was started with.</summary>
    public List<Uri> Starts { get; } = [];

    /// <summary>The authorization URLs that the start links redirected to.</summary>
    public List<Uri> Visited { get; } = [];

    /// <summary>The authorization URL that is shown to the user.</summary>
    public Uri? Shown { get; private set; }

    /// <summary>Returns the last page of the browser.</summary>
    public Task<string> PageAsync() => _browsing;

    /// <summary>Follows the start link as a browser does, and continues at the authorization URL.</summary>
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

    public void Warn(string text) => Warnings.Add(text);
}
