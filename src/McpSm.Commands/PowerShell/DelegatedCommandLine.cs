using System.IO.Pipes;
using System.Text.Json;

namespace McpSm.Commands.PowerShell;

/// <summary>
/// A command line on its way to pwsh that no other user may see: one line of JSON on its standard input. A terminal stays its
/// standard input, for prompts; the line then comes through a pipe that it inherits.
/// </summary>
internal sealed class DelegatedCommandLine(IReadOnlyList<string> arguments, bool byPipe) : IDisposable
{
    private readonly AnonymousPipeServerStream? _pipe = byPipe ? new(PipeDirection.Out, HandleInheritability.Inheritable) : null;

    /// <summary>How the script finds it.</summary>
    /// <param name="readsInput">Whether the command reads standard input as well.</param>
    public string Mode(bool readsInput) => _pipe is null ? readsInput ? "line+input" : "line"
        : $"{(readsInput ? "pipe+input" : "pipe")}:{_pipe.GetClientHandleAsString()}";

    /// <param name="input">The standard input of pwsh; null if a pipe is used.</param>
    public async Task SendAsync(Stream? input, CancellationToken cancellationToken)
    {
        _pipe?.DisposeLocalCopyOfClientHandle();
        var line = Line();
        await (input ?? _pipe!).WriteAsync(line, cancellationToken).ConfigureAwait(false);
        await (input ?? _pipe!).FlushAsync(cancellationToken).ConfigureAwait(false);
        if (_pipe is not null)
        {
            await _pipe.DisposeAsync().ConfigureAwait(false);
        }
    }

    public void Dispose() => _pipe?.Dispose();

    // ASCII alone: pwsh reads its input in the encoding of the console.
    private byte[] Line()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var argument in arguments)
            {
                writer.WriteStringValue(argument);
            }
            writer.WriteEndArray();
        }
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
