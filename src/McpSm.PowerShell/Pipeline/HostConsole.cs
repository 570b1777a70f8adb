using System.Net;
using System.Text;
using McpSm.Commands.Output;
using McpSm.Commands.PowerShell;
using McpSm.Commands.Proxy;
using Microsoft.Win32.SafeHandles;

namespace McpSm.PowerShell.Pipeline;

/// <summary>The console of the command tree in a PowerShell session: writes results to the pipeline, and everything else to the error stream.</summary>
/// <param name="cmdlet">The cmdlet that writes.</param>
/// <param name="piped">The lines of standard input, if <c>mcpsm</c> is in a pipeline. Null if the user types the input.</param>
internal sealed class HostConsole(McpCmdlet cmdlet, IReadOnlyList<string>? piped) : ICommandConsole
{
    private const int StandardOutput = 1;

    private readonly HostInput _input = new(cmdlet);
    private readonly bool _isDelegated = cmdlet.AppEnvironment.Variable(PowerShellDelegation.Variable) is not null;
    private readonly LineWriter _error = new(cmdlet.WriteForUser, cmdlet.Prompt);
    private bool _hasOpened;
    private int _read;

    public TextWriter Out { get; } = new LineWriter(line => cmdlet.Write(PaintedLine.Of(line)), _ => { });

    // mcpsm delegated this command to pwsh, and reads plain lines from its standard error as they are written.
    public TextWriter Error => _isDelegated || _hasOpened ? Console.Error : _error;

    // A PaintedLine separates the colours from the text.
    public bool Colours => true;

    // Mcpsm.format.ps1xml colours a StandardErrorLine.
    public bool ErrorColours => false;

    public bool IsInputTerminal => piped is null && _input.IsTerminal;

    public bool ForbidsQuestions => HostInput.IsForbidden;

    public bool IsWhatIf { get; init; }

    public string CurrentFolder { get; } = cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath;

    // The folder of the module has the manifest and this assembly.
    public OwnProgram OwnProgram => OwnProgram.PowerShell(Path.Combine(Path.GetDirectoryName(typeof(HostConsole).Assembly.Location)!, "Mcpsm.psd1"));

    // A pwsh that no person uses, and whose input is not a terminal, was started by a program that owns the streams. PowerShell reads its input
    // only for a script that asks for $input.
    public (Stream Input, Stream Output)? OpenStandardStreams()
    {
        if (piped is not null || !Console.IsInputRedirected || !(HostInput.IsForbidden || _isDelegated))
        {
            return null;
        }
        _hasOpened = true;
        // The host and modules, such as that of a vault, write warnings and more to standard output, where only protocol messages may be.
        Console.SetOut(Console.Error);
        return (Console.OpenStandardInput(), OperatingSystem.IsWindows() ? Console.OpenStandardOutput()
            : new FileStream(new SafeFileHandle(StandardOutput, ownsHandle: false), FileAccess.Write, bufferSize: 0));
    }

    // ShouldProcess writes the same message as for a cmdlet, in the language of the session.
    public Task SayWhatIfAsync(string operation, string? target, CancellationToken cancellationToken) => cmdlet.Dispatcher.AskAsync(
        () => target is null ? cmdlet.ShouldProcess($"{operation}.", null, null) : cmdlet.ShouldProcess(target, operation), cancellationToken);

    public Task<string?> ReadLineAsync(CancellationToken cancellationToken) =>
        piped is not null ? Task.FromResult(_read < piped.Count ? piped[_read++] : null)
        : _input.IsTerminal ? _input.ReadLineAsync(cancellationToken) : Task.FromResult<string?>(null);

    public async Task<string?> ReadSecretAsync(string prompt, CancellationToken cancellationToken)
    {
        using var secret = await _input.ReadSecretAsync(prompt, cancellationToken).ConfigureAwait(false);
        return secret is null ? null : new NetworkCredential("", secret).Password;
    }

    /// <summary>Writes whole lines, and on flush the beginning of a line: a question whose answer follows on the same line.</summary>
    private sealed class LineWriter(Action<string> writeLine, Action<string> writePrompt) : TextWriter
    {
        private readonly StringBuilder _pending = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (_pending)
            {
                if (value == '\n')
                {
                    writeLine(_pending.ToString().TrimEnd('\r'));
                    _pending.Clear();
                }
                else
                {
                    _pending.Append(value);
                }
            }
        }

        public override void Flush()
        {
            lock (_pending)
            {
                if (_pending.Length > 0)
                {
                    writePrompt(_pending.ToString());
                    _pending.Clear();
                }
            }
        }
    }
}
