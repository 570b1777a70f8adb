using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;
using System.Text;

namespace McpSm.PowerShell.Pipeline;

/// <summary>What a person types at a PowerShell host.</summary>
internal sealed class HostInput(McpCmdlet cmdlet)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly PSHost _host = cmdlet.Host;

    /// <summary>Whether a line can be typed here. Another host than the console's is a program with a person before it.</summary>
    public bool IsTerminal => !IsForbidden && _host.UI is not null && !(_host.Name == "ConsoleHost" && Console.IsInputRedirected);

    /// <summary>Whether pwsh was started with <c>-NonInteractive</c>, under which its host refuses every question.</summary>
    public static bool IsForbidden { get; } = Forbids(Environment.GetCommandLineArgs());

    /// <summary>
    /// A line, read key by key where the host lets us look for keys: a host's own ReadLine cannot be left, and the
    /// browser's answer may come first. Null where the host takes no lines at all.
    /// </summary>
    public async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            switch (await cmdlet.Serving.AskAsync(() => PollKeys(line), cancellationToken).ConfigureAwait(false))
            {
                case Seen.Line:
                    return line.ToString();
                case Seen.NoKeys:
                    return await cmdlet.Serving.AskAsync(() => OrNull(_host.UI.ReadLine), cancellationToken).ConfigureAwait(false);
                default:
                    await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <summary>A secret, typed without being shown; null where the host takes none.</summary>
    public Task<SecureString?> ReadSecretAsync(string prompt, CancellationToken cancellationToken) =>
        cmdlet.Serving.AskAsync(() => OrNull(() =>
        {
            _host.UI.Write(prompt);
            return _host.UI.ReadLineAsSecureString();
        }), cancellationToken);

    /// <summary>The host of a runspace that a program, a thread job or <c>-Parallel</c> opened refuses to ask: there its input is closed.</summary>
    private static T? OrNull<T>(Func<T?> read) where T : class
    {
        try
        {
            return read();
        }
        catch (HostException)
        {
            return null;
        }
    }

    private enum Seen
    {
        Nothing,
        Line,
        NoKeys,
    }

    private Seen PollKeys(StringBuilder line)
    {
        try
        {
            while (_host.UI.RawUI.KeyAvailable)
            {
                var key = _host.UI.RawUI.ReadKey(ReadKeyOptions.NoEcho | ReadKeyOptions.IncludeKeyDown);
                switch (key.Character)
                {
                    case '\r' or '\n':
                        _host.UI.WriteLine();
                        return Seen.Line;
                    case '\b' or '\x7f' when line.Length > 0:
                        line.Length--;
                        _host.UI.Write("\b \b");
                        break;
                    case >= ' ' and not '\x7f':
                        line.Append(key.Character);
                        _host.UI.Write(key.Character.ToString());
                        break;
                }
            }
            return Seen.Nothing;
        }
        catch (Exception e) when (e is NotImplementedException or NotSupportedException or HostException or NullReferenceException
            or InvalidOperationException)
        {
            return Seen.NoKeys;
        }
    }

    /// <summary>pwsh takes any beginning of the name from <c>noni</c> on; what follows a command or a file is its own.</summary>
    internal static bool Forbids(IReadOnlyList<string> commandLine)
    {
        foreach (var word in commandLine.Skip(1))
        {
            var name = word.TrimStart('-', '/').ToLowerInvariant();
            if (word.Length == 0 || word[0] is not ('-' or '/'))
            {
                continue;
            }
            if (name.Length >= 4 && "noninteractive".StartsWith(name, StringComparison.Ordinal))
            {
                return true;
            }
            if (name is "c" or "f" or "cwa" or "e" or "ec" || (name.Length > 1 && new[] { "command", "file", "encodedcommand", "commandwithargs" }
                .Any(n => n.StartsWith(name, StringComparison.Ordinal))))
            {
                return false;
            }
        }
        return false;
    }
}
