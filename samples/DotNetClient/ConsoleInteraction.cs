using McpSm.Core;
using McpSm.Core.Browsing;
using McpSm.Core.Configuration;
using McpSm.Core.Grants;

namespace McpSm.Samples.DotNetClient;

/// <summary>Shows the messages of the library on the console. A program with windows would show them there.</summary>
internal sealed class ConsoleInteraction(AppEnvironment environment) : IAuthInteraction
{
    public bool CanAnswer => environment.CanAnswer();

    public Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken) =>
        OpenBrowserAsync(url, new TaskCompletionSource().Task, cancellationToken);

    public Task<bool> OpenBrowserAsync(Uri url, Task started, CancellationToken cancellationToken)
    {
        var launcher = new BrowserLauncher(environment);
        return launcher.HasDesktop ? launcher.OpenAsync(url, started, cancellationToken) : Task.FromResult(false);
    }

    public void ShowAuthorizationUrl(Uri url, bool opened) =>
        Console.Error.WriteLine($"{(opened ? "Your browser opens to sign in. If it does not, visit:" : "To sign in, visit:")}\n{url.AbsoluteUri}");

    public void ShowDeviceCode(DeviceCode code) =>
        Console.Error.WriteLine($"To sign in, visit {code.VerificationUri.AbsoluteUri} and enter the code {code.UserCode}");

    /// <summary>Returns null: this sample does not read a pasted address, so the browser must be on this machine.</summary>
    public Task<string?> ReadRedirectAsync(CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public void Notice(string text) => Console.Error.WriteLine(text);

    public void Warn(string text) => Console.Error.WriteLine($"Warning: {text}");
}
