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

    /// <summary>A lock to hold while printing several lines that belong together.</summary>
    internal Lock Writing { get; } = new();

    /// <summary>Set by <c>--quiet</c>: prints only what the person must act on.</summary>
    public bool Quiet { get; set; }

    public bool CanAnswer => environment.CanAnswer(NonInteractive, console.ForbidsQuestions);

    public void ShowAuthorizationUrl(Uri url, bool opened)
    {
        using var _ = Writing.EnterScope();
        if (Quiet)
        {
            if (!opened)
            {
                Print(url.AbsoluteUri);
            }
            return;
        }
        console.Error.WriteLine(opened ? "Your browser opens to sign in. If it does not, visit:" : "To sign in, visit:");
        console.Error.WriteLine();
        // The URL has a line to itself, so that the terminal makes it a link and it is easy to select.
        Print(url.AbsoluteUri);
        console.Error.WriteLine();
        if (!opened && console.IsInputTerminal)
        {
            console.Error.WriteLine("If the browser is on another machine, paste the address of its last page here.");
        }
        console.Error.WriteLine("Waiting for the sign-in… (Ctrl+C cancels)");
    }

    public void ShowDeviceCode(DeviceCode code)
    {
        using var _ = Writing.EnterScope();
        Print(code.Server is null ? $"The issuer {UntrustedText.Sanitize(code.Issuer)} asks you to sign in."
            : $"The issuer {UntrustedText.Sanitize(code.Issuer)} asks you to sign in to '{code.Server}'.");
        if (code.OtherSite is { } site)
        {
            Print($"The page is on {site}, which is not the site of the issuer. Enter the code only if you trust that site.");
        }
        Print($"To sign in, visit {(code.CompleteUri ?? code.VerificationUri).AbsoluteUri}");
        Print($"and enter the code  {code.UserCode}");
        console.Error.WriteLine($"Waiting for the sign-in… (the code is valid for {code.Lifetime.TotalMinutes:0} min, Ctrl+C cancels)");
    }

    public Task<bool> OpenBrowserAsync(Uri url, CancellationToken cancellationToken) =>
        OpenBrowserAsync(url, new TaskCompletionSource().Task, cancellationToken);

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
            Print(text);
        }
    }

    public void Warn(string text)
    {
        if (warn is not null)
        {
            warn(text);
            return;
        }
        Print($"Warning: {text}");
    }

    /// <summary>Asks a yes-or-no question. An empty line means no.</summary>
    /// <param name="question">The question, without the choices.</param>
    /// <param name="command">A command line that does the same without asking, for the error.</param>
    /// <param name="cancellationToken">Cancels the question.</param>
    /// <exception cref="McpAuthException">InteractionRequired: no person can answer.</exception>
    public async Task<bool> ConfirmAsync(string question, string command, CancellationToken cancellationToken)
    {
        if (!CanAnswer)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, "This command asks for confirmation, but this session is not interactive.", command);
        }
        console.Error.Write(UntrustedText.SanitizeLine($"{question} [y/N] "));
        console.Error.Flush();
        var line = await console.ReadLineAsync(cancellationToken).ConfigureAwait(false)
            ?? throw new McpAuthException(ErrorReason.InteractionRequired, "This command asks for confirmation, but standard input is closed.", command);
        return line.Trim().Equals("y", StringComparison.OrdinalIgnoreCase) || line.Trim().Equals("yes", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Prints one line, which may contain text from files and the network.</summary>
    private void Print(string line) => console.Error.WriteLine(UntrustedText.SanitizeLine(line));
}
