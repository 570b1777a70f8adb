using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;

namespace McpSm.Relay.Http;

/// <summary>The body of a request that is in memory already, and tells when it was written.</summary>
internal sealed class MessageContent : ByteArrayContent
{
    private readonly TaskCompletionSource? _written;

    /// <param name="json">The JSON of the message.</param>
    /// <param name="written">Completed when the body was handed to the connection.</param>
    public MessageContent(ReadOnlyMemory<byte> json, TaskCompletionSource? written) : this(ToSegment(json), written)
    {
    }

    private MessageContent(ArraySegment<byte> json, TaskCompletionSource? written) : base(json.Array!, json.Offset, json.Count)
    {
        _written = written;
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    /// <summary>Finds the array of a message, because a copy of a large one costs memory.</summary>
    private static ArraySegment<byte> ToSegment(ReadOnlyMemory<byte> json) => MemoryMarshal.TryGetArray(json, out var segment) ? segment : json.ToArray();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await base.SerializeToStreamAsync(stream, context, cancellationToken).ConfigureAwait(false);
        _written?.TrySetResult();
    }
}
