using System.Net;
using System.Text;
using McpSm.Commands.Output;
using McpSm.Commands.PowerShell;

namespace McpSm.PowerShell.Pipeline;

/// <summary>The command tree's console in a PowerShell session: results go down the pipeline, the rest to the error stream.</summary>
/// <param name="piped">What came through the pipeline, which ends then. Null if nothing can come: then lines are typed.</param>
internal sealed class HostConsole(McpCmdlet cmdlet, IReadOnlyList<string>? piped) : ICommandConsole
{
    private readonly HostInput _input = new(cmdlet);
    private int _read;

    public TextWriter Out { get; } = new LineWriter(line => cmdlet.Emit(PaintedLine.Of(line)), _ => { });

    // The process that handed the command over reads plain lines, at once.
    public TextWriter Error { get; } = Environment.GetEnvironmentVariable(PowerShellDelegation.Variable) is null
        ? new LineWriter(cmdlet.Tell, cmdlet.Prompt) : Console.Error;

    // A PaintedLine keeps them apart from the text.
    public bool Colours => true;

    // Mcpsm.format.ps1xml colours a StandardErrorLine.
    public bool ErrorColours => false;

    public bool IsInputTerminal => piped is null && _input.IsTerminal;

    public bool ForbidsQuestions => HostInput.IsForbidden;

    public bool IsWhatIf { get; init; }

    // As ShouldProcess says it of a cmdlet, in the session's language.
    public Task SayWhatIfAsync(string operation, string? target, CancellationToken cancellationToken) => cmdlet.Serving.AskAsync(
        () => target is null ? cmdlet.ShouldProcess($"{operation}.", null, null) : cmdlet.ShouldProcess(target, operation), cancellationToken);

    public Task<string?> ReadLineAsync(CancellationToken cancellationToken) =>
        piped is not null ? Task.FromResult(_read < piped.Count ? piped[_read++] : null)
        : _input.IsTerminal ? _input.ReadLineAsync(cancellationToken) : Task.FromResult<string?>(null);

    public async Task<string?> ReadSecretAsync(string prompt, CancellationToken cancellationToken)
    {
        using var typed = await _input.ReadSecretAsync(prompt, cancellationToken).ConfigureAwait(false);
        return typed is null ? null : new NetworkCredential("", typed).Password;
    }

    /// <summary>Hands on whole lines; the rest where somebody is asked on the same line.</summary>
    private sealed class LineWriter(Action<string> line, Action<string> rest) : TextWriter
    {
        private readonly StringBuilder _pending = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (_pending)
            {
                if (value == '\n')
                {
                    line(_pending.ToString().TrimEnd('\r'));
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
                    rest(_pending.ToString());
                    _pending.Clear();
                }
            }
        }
    }
}
