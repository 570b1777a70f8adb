using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using McpSm.Core.Files;

namespace McpSm.Core.Browsing;

/// <summary>Opens a browser: never through a shell, the URL as one argument (rules 28, 29).</summary>
public sealed class BrowserLauncher(Home home)
{
    // A browser that fails does so at once; one that stays is a browser.
    private static readonly TimeSpan FailsWithin = TimeSpan.FromMilliseconds(1500);

    /// <summary>Whether a browser would have a place to open in.</summary>
    public bool HasDesktop => home.Variable("BROWSER") is not null || home.Variable("DISPLAY") is not null
        || home.Variable("WAYLAND_DISPLAY") is not null || IsWsl || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows();

    private bool IsWsl => home.Variable("WSL_DISTRO_NAME") is not null;

    // An opener may report a failure though it has passed the URL to a browser that was running.
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(1);

    private enum Outcome
    {
        Opened,
        Failed,
        NotStarted,
    }

    /// <summary>Opens the URL; false where no browser could be started.</summary>
    public Task<bool> OpenAsync(Uri url, CancellationToken cancellationToken) => OpenAsync(url, new TaskCompletionSource().Task, cancellationToken);

    /// <summary>Opens the URL; false where no browser could be started.</summary>
    /// <param name="started">Ends once a browser has asked for the URL. Then no other one is started, whatever the opener said.</param>
    public async Task<bool> OpenAsync(Uri url, Task started, CancellationToken cancellationToken)
    {
        if (url.Scheme is not ("https" or "http"))
        {
            return false;
        }
        foreach (var (program, arguments) in Openers(url.AbsoluteUri))
        {
            var outcome = await StartAsync(program, arguments, cancellationToken).ConfigureAwait(false);
            if (outcome == Outcome.Failed)
            {
                await Task.WhenAny(started, Task.Delay(StartsWithin, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
            if (outcome == Outcome.Opened || started.IsCompleted)
            {
                return true;
            }
        }
        return false;
    }

    internal IEnumerable<(string Program, IReadOnlyList<string> Arguments)> Openers(string url)
    {
        if (home.Variable("BROWSER") is { } browsers)
        {
            // A list, each a command line in which %s is the URL, as xdg-open and Python's webbrowser read it.
            foreach (var browser in browsers.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            {
                var words = Words(browser);
                if (words.Count > 0)
                {
                    var arguments = words.Skip(1).Select(w => w.Replace("%s", url)).ToList();
                    yield return (words[0], words.Skip(1).Any(w => w.Contains("%s")) ? arguments : [.. arguments, url]);
                }
            }
            yield break;
        }
        if (OperatingSystem.IsWindows())
        {
            yield return ("rundll32.exe", ["url.dll,FileProtocolHandler", url]);
        }
        else if (OperatingSystem.IsMacOS())
        {
            yield return ("/usr/bin/open", [url]);
        }
        else
        {
            if (IsWsl)
            {
                yield return ("wslview", [url]);
                yield return ("/mnt/c/Windows/System32/rundll32.exe", ["url.dll,FileProtocolHandler", url]);
            }
            yield return ("xdg-open", [url]);
        }
    }

    private static async Task<Outcome> StartAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                // It outlives us: who reads what we print, as x=$(mcpsm …) does, would wait for its end and get its words, and what is
                // piped in is not for it. A terminal is left to it: there are browsers for that.
                RedirectStandardInput = Console.IsInputRedirected,
                RedirectStandardOutput = Console.IsOutputRedirected,
                RedirectStandardError = Console.IsErrorRedirected,
            };
            // It lives long, and runs what strangers wrote.
            start.Environment.Remove("MCPSM_VAULT_PASSPHRASE");
            start.Environment.Remove("MCPSM_VAULT_NEW_PASSPHRASE");
            using var process = Process.Start(start);
            if (process is null)
            {
                return Outcome.NotStarted;
            }
            if (start.RedirectStandardInput)
            {
                process.StandardInput.Close();
            }
            // Taken from it as long as we live, or it would stop once the pipe is full.
            _ = start.RedirectStandardOutput ? process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None) : null;
            _ = start.RedirectStandardError ? process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None) : null;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(FailsWithin);
            try
            {
                await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
                return process.ExitCode == 0 ? Outcome.Opened : Outcome.Failed;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return Outcome.Opened;
            }
        }
        catch (Exception e) when (e is Win32Exception or FileNotFoundException)
        {
            return Outcome.NotStarted;
        }
    }

    /// <summary>Splits at spaces outside quotes; no other character means anything.</summary>
    private static List<string> Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        var inWord = false;
        foreach (var c in line)
        {
            if (quote != '\0' && c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
                inWord = true;
            }
            else if (quote == '\0' && c == ' ')
            {
                if (inWord)
                {
                    words.Add(word.ToString());
                    word.Clear();
                }
                inWord = false;
            }
            else
            {
                word.Append(c);
                inWord = true;
            }
        }
        if (inWord)
        {
            words.Add(word.ToString());
        }
        return words;
    }
}
