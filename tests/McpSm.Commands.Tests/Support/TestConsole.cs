using System.Text;
using System.Threading.Channels;
using McpSm.Commands.Output;

namespace McpSm.Commands.Tests.Support;

/// <summary>A console of one command line: what it says is kept, what is typed is scripted.</summary>
public sealed class TestConsole : ICommandConsole
{
    private readonly Channel<string> _typed = Channel.CreateUnbounded<string>();
    private readonly LineWriter _out = new();
    private readonly LineWriter _error = new();

    public TestConsole() => _error.Line += line => ErrorLine?.Invoke(line);

    /// <summary>A pipe with these lines in it, which then ends.</summary>
    public static TestConsole Pipe(params string[] lines)
    {
        var console = new TestConsole();
        console.Type(lines);
        console._typed.Writer.Complete();
        return console;
    }

    /// <summary>A terminal at which these lines are typed, and then nothing more for as long as it takes.</summary>
    public static TestConsole Terminal(params string[] lines)
    {
        var console = new TestConsole { IsInputTerminal = true };
        console.Type(lines);
        return console;
    }

    /// <summary>A terminal whose person types these lines and then Ctrl+D.</summary>
    public static TestConsole EndedTerminal(params string[] lines)
    {
        var console = Terminal(lines);
        console._typed.Writer.Complete();
        return console;
    }

    /// <summary>Each line that was written to standard error, when it is whole.</summary>
    public event Action<string>? ErrorLine;

    public TextWriter Out => _out;

    public TextWriter Error => _error;

    public bool Colours { get; init; }

    public bool ErrorColours { get; init; }

    public bool IsInputTerminal { get; init; }

    /// <summary>The prompts of secrets, each of which was read without being shown.</summary>
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

    /// <summary>Keeps all that is written and tells of each line.</summary>
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
