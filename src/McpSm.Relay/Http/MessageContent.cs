using System.Net;
using System.Net.Http.Headers;

namespace McpSm.Relay.Http;

/// <summary>The body of a request that is in memory already, and tells when it was written.</summary>
internal sealed class MessageContent : ByteArrayContent
{
    private readonly TaskCompletionSource? _written;

    /// <param name="written">Completed when the body was handed to the connection.</param>
    public MessageContent(ReadOnlyMemory<byte> json, TaskCompletionSource? written) : base(json.ToArray())
    {
        _written = written;
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await base.SerializeToStreamAsync(stream, context, cancellationToken).ConfigureAwait(false);
        _written?.TrySetResult();
    }
}
