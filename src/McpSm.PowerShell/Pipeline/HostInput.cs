using System.Management.Automation.Host;
using System.Security;
using System.Text;

namespace McpSm.PowerShell.Pipeline;

/// <summary>Reads what the user types at a PowerShell host.</summary>
/// <param name="cmdlet">The cmdlet that runs in the host.</param>
internal sealed class HostInput(McpCmdlet cmdlet)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly PSHost _host = cmdlet.Host;

    /// <summary>Whether the user can type a line. A host other than the console, such as an editor, is assumed to have a user.</summary>
    public bool IsTerminal => !IsForbidden && _host.UI is not null && !(_host.Name == "ConsoleHost" && Console.IsInputRedirected);

    /// <summary>Whether pwsh was started with <c>-NonInteractive</c>. Its host then refuses every prompt.</summary>
    public static bool IsForbidden { get; } = Forbids(Environment.GetCommandLineArgs());

    /// <summary>
    /// Reads a line. Returns null if the host cannot read lines. Reads key by key if the host can poll for keys: the
    /// <c>ReadLine</c> of a host cannot be cancelled, and the callback of the browser may come first.
    /// </summary>
    public async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            switch (await cmdlet.Dispatcher.AskAsync(() => PollKeys(line), cancellationToken).ConfigureAwait(false))
            {
                case KeyPoll.Line:
                    return line.ToString();
                case KeyPoll.Unsupported:
                    return await cmdlet.Dispatcher.AskAsync(() => OrNull(_host.UI.ReadLine), cancellationToken).ConfigureAwait(false);
                default:
                    await Task.Delay(PollInterval, cmdlet.AppEnvironment.Time, cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <summary>Reads a secret without showing it. Returns null if the host cannot read secrets.</summary>
    public Task<SecureString?> ReadSecretAsync(string prompt, CancellationToken cancellationToken) =>
        cmdlet.Dispatcher.AskAsync(() => OrNull(() =>
        {
            _host.UI.Write(prompt);
            return _host.UI.ReadLineAsSecureString();
        }), cancellationToken);

    /// <summary>Returns null if the host refuses to prompt, as in a runspace of a program, of a thread job or of <c>-Parallel</c>.</summary>
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

    private enum KeyPoll
    {
        Pending,
        Line,
        Unsupported,
    }

    private KeyPoll PollKeys(StringBuilder line)
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
                        return KeyPoll.Line;
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
            return KeyPoll.Pending;
        }
        catch (Exception e) when (e is NotImplementedException or NotSupportedException or HostException or NullReferenceException
            or InvalidOperationException)
        {
            return KeyPoll.Unsupported;
        }
    }

    /// <summary>
    /// Returns whether a command line of pwsh contains <c>-NonInteractive</c>. pwsh accepts any prefix from <c>-noni</c> on, and the arguments
    /// after <c>-Command</c> or <c>-File</c> belong to that script.
    /// </summary>
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
