using System.Text;
using System.Threading.Channels;

namespace McpSm.Cli;

/// <summary>
/// Standard error of a relay. A full disk, and a client that does not read, lose lines of the log and nothing else: the messages of the client go on.
/// </summary>
internal sealed class LogWriter : TextWriter
{
    private const int MaxWaiting = 1000;

    private readonly Channel<string> _waiting = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxWaiting)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
        SingleReader = true,
    });

    private readonly TextWriter _inner;
    private readonly Task _writing;

    public LogWriter(TextWriter inner)
    {
        _inner = inner;
        // A thread of its own, because a write to a full pipe blocks it.
        _writing = Task.Factory.StartNew(WriteAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public override Encoding Encoding => _inner.Encoding;

    public override void Write(char value) => _waiting.Writer.TryWrite(value.ToString());

    public override void Write(string? value) => _waiting.Writer.TryWrite(value ?? "");

    public override void Write(char[] buffer, int index, int count) => _waiting.Writer.TryWrite(new string(buffer, index, count));

    public override void WriteLine(string? value) => _waiting.Writer.TryWrite(value + NewLine);

    /// <summary>Waits until the lines are written.</summary>
    /// <param name="limit">How long to wait for a reader.</param>
    /// <param name="time">The clock.</param>
    public void Finish(TimeSpan limit, TimeProvider time)
    {
        _waiting.Writer.TryComplete();
        _writing.WaitAsync(limit, time).ContinueWith(_ => { }, TaskScheduler.Default).GetAwaiter().GetResult();
    }

    private void WriteAll()
    {
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_waiting.Reader.TryRead(out var text))
            {
                try
                {
                    _inner.Write(text);
                }
                catch (Exception e) when (e is IOException or ArgumentOutOfRangeException { ParamName: "value" })
                {
                    // The log has no other place. .NET reports a file beyond its size limit as an argument that is out of range.
                }
            }
        }
    }
}
