using McpSm.Core.Grants;

namespace McpSm.Core;

/// <summary>The only way in which Core talks to people.</summary>
public interface IAuthInteraction
{
    /// <summary>Whether a person is there to answer.</summary>
    bool CanAnswer { get; }

    /// <summary>Shows the URL at which to sign in.</summary>
    /// <param name="url">The URL at which to sign in.</param>
    /// <param name="opened">Whether a browser was opened on it.</param>
    void ShowAuthorizationUrl(Uri url, bool opened);

    void ShowDeviceCode(DeviceCode code);

    /// <summary>Opens a browser; false if no browser is available.</summary>
    /// <param name="url">
    /// A one-time address of this machine, which leads to the URL at which to sign in: other users can read the arguments of
    /// a program.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken);

    /// <summary>Opens the URL, and tries another browser if one fails.</summary>
    /// <param name="url">The URL at which to sign in.</param>
    /// <param name="started">Completes when a browser has opened the URL. A second browser would then end the sign-in.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    Task<bool> OpenBrowserAsync(Uri url, Task started, CancellationToken cancellationToken) => OpenBrowserAsync(url, cancellationToken);

    /// <summary>Reads a redirect URL that the person pastes; returns null if the person cannot paste one, or pastes no more.</summary>
    Task<string?> ReadRedirectAsync(CancellationToken cancellationToken);

    /// <summary>Shows information, such as a step of the sign-in or the vault that was selected.</summary>
    /// <param name="text">One line for people. It contains no secret.</param>
    void Notice(string text);

    /// <summary>
    /// Shows a warning. The operation goes on, and the user should act: something stayed behind, was not kept, was not revoked, is ignored,
    /// or is insecure.
    /// </summary>
    /// <param name="text">One line for people, without a prefix such as <c>Warning:</c>. It contains no secret.</param>
    void Warn(string text);
}
