using McpSm.Relay.Tools;

namespace McpSm.Relay.Messages;

/// <summary>Writes one message a line. A slow reader makes the writers wait, so that no message is lost and memory stays bounded.</summary>
/// <param name="output">What the client reads.</param>
/// <param name="tools">Cuts tools from messages; null to write all messages as they are.</param>
internal sealed class MessageWriter(Stream output, ToolFilter? tools = null) : IDisposable
{
    private const int LargeMessage = 64 * 1024;
    private static readonly byte[] LineEnd = [(byte)'\n'];

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _closed = new();

    /// <summary>Cancelled when the reader of the output is gone.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Sees each message before it is written, and returns whether to keep it back; null to write all.</summary>
    public Func<ReadOnlyMemory<byte>, bool>? Intercept { get; set; }

    /// <param name="json">A JSON value. Line ends in it are between tokens, because a JSON string cannot contain any: they are removed.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="OperationCanceledException">The reader is gone, or the operation was cancelled.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        if (Intercept?.Invoke(json) == true)
        {
            return;
        }
        var message = tools?.Filter(json) ?? json;
        // A large message is not copied only to append the end of its line.
        var isLarge = message.Length > LargeMessage && message.Span.IndexOfAny((byte)'\r', (byte)'\n') < 0;
        var line = isLarge ? message : ToLine(message.Span);
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _closed.Token.ThrowIfCancellationRequested();
            // A line that was begun is finished: half a line would corrupt the next message.
            await output.WriteAsync(line, CancellationToken.None).ConfigureAwait(false);
            if (isLarge)
            {
                await output.WriteAsync(LineEnd, CancellationToken.None).ConfigureAwait(false);
            }
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            await _closed.CancelAsync().ConfigureAwait(false);
            throw new OperationCanceledException("The client no longer reads.", e, _closed.Token);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        _closed.Dispose();
    }

    private static byte[] ToLine(ReadOnlySpan<byte> json)
    {
        var line = new byte[json.Length + 1];
        var length = 0;
        while (json.IndexOfAny((byte)'\r', (byte)'\n') is >= 0 and var at)
        {
            json[..at].CopyTo(line.AsSpan(length));
            length += at;
            json = json[(at + 1)..];
        }
        json.CopyTo(line.AsSpan(length));
        length += json.Length;
        line[length++] = (byte)'\n';
        return length == line.Length ? line : line[..length];
    }
}
