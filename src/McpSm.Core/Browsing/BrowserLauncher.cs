using System.Diagnostics;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Processes;

namespace McpSm.Core.Browsing;

/// <summary>Opens a browser: never through a shell, by its full path, the URL as one argument (rules 28, 29 of docs/rules.md).</summary>
/// <param name="notice">Is told why a browser could not be opened.</param>
public sealed class BrowserLauncher(AppEnvironment environment, Action<string>? notice = null)
{
    // A browser that fails does so at once; one that stays is a browser.
    private static readonly TimeSpan FailureTimeout = TimeSpan.FromMilliseconds(1500);

    // An opener may report a failure though it has passed the URL to a browser that was running.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(1);

    private readonly ProgramStarter _starter = new(environment);

    /// <summary>Whether a browser would have a place to open in.</summary>
    public bool HasDesktop => environment.Variable("BROWSER") is not null || environment.Variable("DISPLAY") is not null
        || environment.Variable("WAYLAND_DISPLAY") is not null || IsWsl || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows();

    private bool IsWsl => environment.Variable("WSL_DISTRO_NAME") is not null;

    /// <summary>Opens the URL; false if no browser could be started.</summary>
    public Task<bool> OpenAsync(Uri url, CancellationToken cancellationToken) => OpenAsync(url, new TaskCompletionSource().Task, cancellationToken);

    /// <summary>Opens the URL; false if no browser could be started.</summary>
    /// <param name="started">Ends once a browser has asked for the URL. Then no other one is started, whatever the opener said.</param>
    public async Task<bool> OpenAsync(Uri url, Task started, CancellationToken cancellationToken)
    {
        if (url.Scheme is not ("https" or "http"))
        {
            return false;
        }
        var failures = new List<string>();
        foreach (var opener in Openers(url.AbsoluteUri))
        {
            if (FindShell(opener) is { } shell)
            {
                notice?.Invoke($"BROWSER was not used: it hands a command to the shell {shell}. Set it to the browser's own name, or to a script file.");
                continue;
            }
            var (hasRun, why) = await StartAsync(opener, cancellationToken).ConfigureAwait(false);
            if (why is not null && hasRun)
            {
                await Task.WhenAny(started, Task.Delay(StartTimeout, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
            if (why is null || started.IsCompleted)
            {
                return true;
            }
            failures.Add($"{UntrustedText.Sanitize(opener.Program)} {why}");
        }
        if (failures.Count > 0)
        {
            notice?.Invoke($"No browser was opened: {string.Join("; ", failures)}.");
        }
        return false;
    }

    internal IEnumerable<BrowserCommand> Openers(string url)
    {
        if (environment.Variable("BROWSER") is { } browsers)
        {
            return BrowserCommand.ParseList(browsers, url);
        }
        if (OperatingSystem.IsWindows())
        {
            return [new(Path.Combine(Environment.SystemDirectory, "rundll32.exe"), ["url.dll,FileProtocolHandler", url])];
        }
        if (OperatingSystem.IsMacOS())
        {
            return [new("/usr/bin/open", [url])];
        }
        BrowserCommand[] ofWindows = [new("wslview", [url]), new("/mnt/c/Windows/System32/rundll32.exe", ["url.dll,FileProtocolHandler", url])];
        return [.. IsWsl ? ofWindows : [], new("xdg-open", [url])];
    }

    /// <summary>The shell that would read a command; also if the program is a link to one.</summary>
    private string? FindShell(BrowserCommand opener)
    {
        var program = opener.Program;
        try
        {
            program = File.ResolveLinkTarget(new ProgramFinder(environment).Find(program)[0], returnFinalTarget: true)?.FullName ?? program;
        }
        catch (Exception e) when (e is ProgramNotStartedException or IOException or UnauthorizedAccessException)
        {
            // Starting it says what is wrong.
        }
        return ShellCommand.Find([opener.Program, .. opener.Arguments]) ?? ShellCommand.Find([program, .. opener.Arguments]);
    }

    /// <returns>Whether the program ran at all, and why no browser was opened: that follows the program's name in a sentence.</returns>
    private async Task<(bool HasRun, string? Failure)> StartAsync(BrowserCommand opener, CancellationToken cancellationToken)
    {
        Process process;
        try
        {
            process = _starter.StartExternal(opener.Program, opener.Arguments, start =>
            {
                // It outlives us: who reads what we print, as x=$(mcpsm …) does, would wait for its end and get its words, and what is
                // piped in is not for it. A terminal is left to it: there are browsers for that.
                start.RedirectStandardInput = Console.IsInputRedirected;
                start.RedirectStandardOutput = Console.IsOutputRedirected;
                start.RedirectStandardError = Console.IsErrorRedirected;
            });
        }
        catch (ProgramNotStartedException e)
        {
            return (false, e.Message);
        }
        using (process)
        {
            if (process.StartInfo.RedirectStandardInput)
            {
                process.StandardInput.Close();
            }
            // Taken from it as long as we live, or it would stop once the pipe is full.
            _ = process.StartInfo.RedirectStandardOutput ? process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None) : null;
            _ = process.StartInfo.RedirectStandardError ? process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None) : null;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(FailureTimeout);
            try
            {
                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
                return (true, process.ExitCode == 0 ? null : $"ended with exit code {process.ExitCode}");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return (true, null);
            }
        }
    }
}
