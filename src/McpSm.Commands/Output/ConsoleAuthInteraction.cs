using McpSm.Core;
using McpSm.Core.Browsing;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Grants;

namespace McpSm.Commands.Output;

/// <summary>Shows what Core has to say at a console, and reads the answers there.</summary>
/// <param name="console">The console.</param>
/// <param name="environment">The variables that decide whether a person can answer.</param>
/// <param name="warn">Shows a warning. If it is null, a warning is a line of standard error that begins with <c>Warning:</c>.</param>
public sealed class ConsoleAuthInteraction(ICommandConsole console, AppEnvironment environment, Action<string>? warn = null) : IAuthInteraction
{
    /// <summary>Set by <c>--non-interactive</c> or <c>-NonInteractive</c>.</summary>
    public bool NonInteractive { get; set; }

    /// <summary>Held while several lines are said that belong together.</summary>
    internal Lock Writing { get; } = new();

    /// <summary>Set by <c>--quiet</c>: says nothing but what somebody must act on.</summary>
    public bool Quiet { get; set; }

    public bool CanAnswer => environment.CanAnswer(NonInteractive, console.ForbidsQuestions);

    public void ShowAuthorizationUrl(Uri url, bool opened)
    {
        using var _ = Writing.EnterScope();
        if (Quiet)
        {
            if (!opened)
            {
                Tell(url.AbsoluteUri);
            }
            return;
        }
        console.Error.WriteLine(opened ? "Your browser was opened to sign in. If it was not, visit:" : "To sign in, visit:");
        console.Error.WriteLine();
        // On a line of its own, so that a terminal makes it a link and a person can select it.
        Tell(url.AbsoluteUri);
        console.Error.WriteLine();
        if (!opened && console.IsInputTerminal)
        {
            console.Error.WriteLine("If that browser is on another machine, paste the address it ends on here.");
        }
        console.Error.WriteLine("Waiting for the sign-in… (Ctrl+C ends it)");
    }

    public void ShowDeviceCode(DeviceCode code)
    {
        using var _ = Writing.EnterScope();
        Tell(code.Server is null ? $"The issuer {UntrustedText.Sanitize(code.Issuer)} asks you to sign in."
            : $"The issuer {UntrustedText.Sanitize(code.Issuer)} asks you to sign in to '{code.Server}'.");
        if (code.OtherSite is { } site)
        {
            Tell($"The page is on {site}, which is another site than the issuer. Enter the code only if you know that site.");
        }
        Tell($"To sign in, visit {(code.CompleteUri ?? code.VerificationUri).AbsoluteUri}");
        Tell($"and enter the code  {code.UserCode}");
        console.Error.WriteLine($"Waiting for the sign-in… (the code lasts {code.Lifetime.TotalMinutes:0} min, Ctrl+C ends it)");
    }

    public Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken) => OpenBrowserAsync(url, new TaskCompletionSource().Task, cancellationToken);

    public Task<bool> OpenBrowserAsync(Uri url, Task started, CancellationToken cancellationToken)
    {
        var launcher = new BrowserLauncher(environment, Notice);
        return launcher.HasDesktop ? launcher.OpenAsync(url, started, cancellationToken) : Task.FromResult(false);
    }

    public Task<string?> ReadRedirectAsync(CancellationToken cancellationToken) =>
        console.IsInputTerminal ? console.ReadLineAsync(cancellationToken) : Task.FromResult<string?>(null);

    public void Notice(string text)
    {
        if (!Quiet)
        {
            Tell(text);
        }
    }

    public void Warn(string text)
    {
        if (warn is not null)
        {
            warn(text);
            return;
        }
        Tell($"Warning: {text}");
    }

    /// <summary>Asks a yes-or-no question; no is the answer to an empty line.</summary>
    /// <param name="command">The command line that does not ask.</param>
    public async Task<bool> ConfirmAsync(string question, string command, CancellationToken cancellationToken)
    {
        if (!CanAnswer)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, "This asks first, and no person can answer here.", command);
        }
        console.Error.Write(UntrustedText.SanitizeLine($"{question} [y/N] "));
        console.Error.Flush();
        var line = await console.ReadLineAsync(cancellationToken).ConfigureAwait(false)
            ?? throw new McpAuthException(ErrorReason.InteractionRequired, "This asks first, and standard input is closed.", command);
        return line.Trim().Equals("y", StringComparison.OrdinalIgnoreCase) || line.Trim().Equals("yes", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Prints one line. Files and the network may have had a say in it.</summary>
    private void Tell(string line) => console.Error.WriteLine(UntrustedText.SanitizeLine(line));
}
