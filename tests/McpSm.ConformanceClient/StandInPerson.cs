using McpSm.Core;
using McpSm.Core.Grants;

namespace McpSm.ConformanceClient;

/// <summary>The user of a sign-in. The issuer of the suite redirects at once, so following redirects is enough.</summary>
internal sealed class StandInPerson : IAuthInteraction
{
    private static readonly HttpClient Browser = new();

    public bool CanAnswer => true;

    public Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken)
    {
        _ = BrowseAsync(url, cancellationToken);
        return Task.FromResult(true);
    }

    public void ShowAuthorizationUrl(Uri url, bool opened)
    {
    }

    public void ShowDeviceCode(DeviceCode code) => throw new NotSupportedException("No scenario of the suite has a device code.");

    public Task<string?> ReadRedirectAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public void Notice(string text) => Console.Error.WriteLine(text);

    public void Warn(string text) => Console.Error.WriteLine($"Warning: {text}");

    private static async Task BrowseAsync(Uri url, CancellationToken cancellationToken)
    {
        try
        {
            using var page = await Browser.GetAsync(url, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            // The sign-in times out after this. Print the cause.
            Console.Error.WriteLine($"The browser failed: {e.Message}");
        }
    }
}
