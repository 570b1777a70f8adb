using System.IO.Pipes;
using System.Text.Json;

namespace McpSm.Commands.PowerShell;

/// <summary>
/// Sends a command line with a secret to pwsh, as one line of JSON, because other users can see arguments. It goes through standard
/// input, or through an inherited pipe if standard input is a terminal that pwsh needs for prompts.
/// </summary>
internal sealed class DelegatedCommandLine(IReadOnlyList<string> arguments, bool byPipe) : IDisposable
{
    private readonly AnonymousPipeServerStream? _pipe = byPipe ? new(PipeDirection.Out, HandleInheritability.Inheritable) : null;

    /// <summary>Returns the value of <see cref="PowerShellDelegation.Variable"/> that tells the script how to read the line.</summary>
    /// <param name="readsInput">Whether the command itself reads standard input too.</param>
    public string Mode(bool readsInput) => _pipe is null ? readsInput ? "line+input" : "line"
        : $"{(readsInput ? "pipe+input" : "pipe")}:{_pipe.GetClientHandleAsString()}";

    /// <param name="input">The standard input of pwsh; null if a pipe is used.</param>
    /// <param name="cancellationToken">Cancels writing.</param>
    public async Task SendAsync(Stream? input, CancellationToken cancellationToken)
    {
        _pipe?.DisposeLocalCopyOfClientHandle();
        var line = Serialize();
        await (input ?? _pipe!).WriteAsync(line, cancellationToken).ConfigureAwait(false);
        await (input ?? _pipe!).FlushAsync(cancellationToken).ConfigureAwait(false);
        if (_pipe is not null)
        {
            await _pipe.DisposeAsync().ConfigureAwait(false);
        }
    }

    public void Dispose() => _pipe?.Dispose();

    // The writer escapes everything outside ASCII: pwsh reads its input in the encoding of the console.
    private byte[] Serialize()
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
