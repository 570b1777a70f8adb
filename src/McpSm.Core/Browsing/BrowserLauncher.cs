using System.Diagnostics;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Interruption;
using McpSm.Core.Processes;

namespace McpSm.Core.Browsing;

/// <summary>Opens a browser without a shell, by its full path and with the URL as one argument (rules 28, 29 of docs/rules.md).</summary>
/// <param name="environment">The environment.</param>
/// <param name="notice">Receives the reason if a browser could not be opened.</param>
public sealed class BrowserLauncher(AppEnvironment environment, Action<string>? notice = null)
{
    // A browser that fails exits quickly; a process that keeps running is assumed to be a browser.
    private static readonly TimeSpan FailureTimeout = TimeSpan.FromMilliseconds(1500);

    // A program such as xdg-open may report a failure although it has passed the URL to a running browser.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(1);

    private readonly ProgramStarter _starter = new(environment);

    /// <summary>Whether a browser can show a window.</summary>
    public bool HasDesktop => environment.Variable("BROWSER") is not null || environment.Variable("DISPLAY") is not null
        || environment.Variable("WAYLAND_DISPLAY") is not null || IsWsl || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows();

    private bool IsWsl => environment.Variable("WSL_DISTRO_NAME") is not null;

    /// <summary>Opens the URL. Returns false if no browser could be started.</summary>
    public Task<bool> OpenAsync(Uri url, CancellationToken cancellationToken) => OpenAsync(url, new TaskCompletionSource().Task, cancellationToken);

    /// <summary>Opens the URL. Returns false if no browser could be started.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="started">
    /// Completes when a browser has requested the URL. Then no other browser is started, even if the program reported a failure.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait.</param>
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
                notice?.Invoke($"BROWSER was ignored because it runs a command in the shell {shell}. Set it to the name of the browser or to a script file.");
                continue;
            }
            var (hasRun, failure) = await StartAsync(opener, cancellationToken).ConfigureAwait(false);
            if (failure is not null && hasRun)
            {
                await Task.WhenAny(started, Task.Delay(StartTimeout, environment.Time, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
            if (failure is null || started.IsCompleted)
            {
                return true;
            }
            failures.Add($"{UntrustedText.Sanitize(opener.Program)} {failure}");
        }
        if (failures.Count > 0)
        {
            notice?.Invoke($"Mcpsm could not open a browser: {string.Join("; ", failures)}.");
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
        BrowserCommand[] windowsOpeners = [new("wslview", [url]), new("/mnt/c/Windows/System32/rundll32.exe", ["url.dll,FileProtocolHandler", url])];
        return [.. IsWsl ? windowsOpeners : [], new("xdg-open", [url])];
    }

    /// <summary>Returns the shell that would interpret a command, also if the program is a link to the shell.</summary>
    private string? FindShell(BrowserCommand opener)
    {
        var program = opener.Program;
        try
        {
            program = File.ResolveLinkTarget(new ProgramFinder(environment).Find(program)[0], returnFinalTarget: true)?.FullName ?? program;
        }
        catch (Exception e) when (e is ProgramNotStartedException or IOException or UnauthorizedAccessException)
        {
            // The start reports the error.
        }
        return ShellCommand.Find([opener.Program, .. opener.Arguments]) ?? ShellCommand.Find([program, .. opener.Arguments]);
    }

    /// <returns>Whether the program ran, and why it did not open a browser, as a predicate such as "does not exist".</returns>
    private async Task<(bool HasRun, string? Failure)> StartAsync(BrowserCommand opener, CancellationToken cancellationToken)
    {
        Process process;
        try
        {
            process = _starter.StartExternal(opener.Program, opener.Arguments, start =>
            {
                // The browser outlives this process. If it inherited a pipe, x=$(mcpsm …) would wait for it and capture its output. Terminal browsers
                // need the terminal, so only redirected streams are replaced.
#pragma warning disable RS0030 // This asks which streams the browser would inherit, and uses none of them.
                start.RedirectStandardInput = Console.IsInputRedirected;
                start.RedirectStandardOutput = Console.IsOutputRedirected;
                start.RedirectStandardError = Console.IsErrorRedirected;
#pragma warning restore RS0030
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
            // Drain the output while this process runs; the browser would block once the pipe is full.
            _ = process.StartInfo.RedirectStandardOutput ? process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None) : null;
            _ = process.StartInfo.RedirectStandardError ? process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None) : null;
            using var limit = new TimeLimit(environment.Time, FailureTimeout, cancellationToken);
            try
            {
                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
                return (true, process.ExitCode == 0 ? null : $"exited with code {process.ExitCode}");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return (true, null);
            }
        }
    }
}
