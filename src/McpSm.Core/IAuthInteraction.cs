using McpSm.Core.Grants;

namespace McpSm.Core;

/// <summary>The only way in which Core talks to people.</summary>
public interface IAuthInteraction
{
    /// <summary>Whether a person is there to answer.</summary>
    bool CanAnswer { get; }

    /// <summary>Shows the URL at which to sign in.</summary>
    /// <param name="opened">Whether a browser was opened on it.</param>
    void ShowAuthorizationUrl(Uri url, bool opened);

    void ShowDeviceCode(DeviceCode code);

    /// <summary>Opens a browser; false where there is none.</summary>
    Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken);

    /// <summary>A redirected URL that the person pasted; null, at once or in the end, where none can be.</summary>
    Task<string?> ReadRedirectAsync(CancellationToken cancellationToken);

    /// <summary>Something the person should know, that is no failure.</summary>
    void Notice(string text);
}
