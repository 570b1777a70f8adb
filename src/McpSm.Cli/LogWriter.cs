using System.Text;

namespace McpSm.Cli;

/// <summary>
/// Standard error of a relay. A full disk, or a reader that is gone, loses lines of the log and nothing else: the messages of the client go on.
/// </summary>
internal sealed class LogWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or ArgumentOutOfRangeException { ParamName: "value" })
        {
            // The log has no other place. .NET reports a file beyond its size limit as an argument that is out of range.
        }
    }
}
