using System.Text;
using System.Threading.Channels;
using McpSm.Commands.Output;

namespace McpSm.Commands.Tests.Support;

/// <summary>A console that records the output and has scripted input.</summary>
public sealed class TestConsole : ICommandConsole
{
    private readonly Channel<string> _typed = Channel.CreateUnbounded<string>();
    private readonly LineWriter _out = new();
    private readonly LineWriter _error = new();

    public TestConsole() => _error.Line += line => ErrorLine?.Invoke(line);

    /// <summary>Returns a console whose input is a pipe with these lines.</summary>
    public static TestConsole Pipe(params string[] lines)
    {
        var console = new TestConsole();
        console.Type(lines);
        console._typed.Writer.Complete();
        return console;
    }

    /// <summary>Returns a terminal at which these lines are typed, without an end of the input.</summary>
    public static TestConsole Terminal(params string[] lines)
    {
        var console = new TestConsole { IsInputTerminal = true };
        console.Type(lines);
        return console;
    }

    /// <summary>Returns a terminal at which these lines and then Ctrl+D are typed.</summary>
    public static TestConsole EndedTerminal(params string[] lines)
    {
        var console = Terminal(lines);
        console._typed.Writer.Complete();
        return console;
    }

    /// <summary>Raised for each complete line of standard error.</summary>
    public event Action<string>? ErrorLine;

    public TextWriter Out => _out;

    public TextWriter Error => _error;

    public bool Colours { get; init; }

    public bool ErrorColours { get; init; }

    public bool IsInputTerminal { get; init; }

    public string CurrentFolder { get; init; } = Path.GetTempPath();

    /// <summary>Gives input that has ended, and output that nothing reads.</summary>
    public (Stream Input, Stream Output)? OpenStandardStreams() => (Stream.Null, Stream.Null);

    /// <summary>The prompts for secrets, which are read without echo.</summary>
    public List<string> SecretPrompts { get; } = [];

    public void Type(params string[] lines)
    {
        foreach (var line in lines)
        {
            _typed.Writer.TryWrite(line);
        }
    }

    public async Task<string?> ReadLineAsync(CancellationToken cancellationToken) =>
        await _typed.Reader.WaitToReadAsync(cancellationToken) && _typed.Reader.TryRead(out var line) ? line : null;

    public Task<string?> ReadSecretAsync(string prompt, CancellationToken cancellationToken)
    {
        SecretPrompts.Add(prompt);
        return ReadLineAsync(cancellationToken);
    }

    /// <summary>A writer that records the text and reports each line.</summary>
    private sealed class LineWriter : TextWriter
    {
        private readonly StringBuilder _all = new();
        private int _told;

        public LineWriter() => CoreNewLine = ['\n'];

        public event Action<string>? Line;

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        public override void WriteLine(string? value) => Write(value + "\n");

        public override void Write(string? value)
        {
            List<string> whole = [];
            lock (_all)
            {
                _all.Append(value);
                for (var text = _all.ToString(_told, _all.Length - _told); text.IndexOf('\n') is var end and >= 0; text = text[(end + 1)..])
                {
                    whole.Add(text[..end]);
                    _told += end + 1;
                }
            }
            whole.ForEach(l => Line?.Invoke(l));
        }

        public override string ToString()
        {
            lock (_all)
            {
                return _all.ToString();
            }
        }
    }
}
