using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Http;

namespace McpSm.HttpProxy;

/// <summary>Writes messages as server-sent events (HTML Living Standard). A message of the relay is one line already.</summary>
internal static class EventWriter
{
    private static readonly ReadOnlyMemory<byte> Start = "event: message\ndata: "u8.ToArray();
    private static readonly ReadOnlyMemory<byte> End = "\n\n"u8.ToArray();

    public static Task BeginAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        return response.Body.FlushAsync(cancellationToken);
    }

    public static async Task WriteAsync(HttpResponse response, Message message, CancellationToken cancellationToken)
    {
        await response.Body.WriteAsync(Start, cancellationToken).ConfigureAwait(false);
        await response.Body.WriteAsync(message.Bytes, cancellationToken).ConfigureAwait(false);
        await response.Body.WriteAsync(End, cancellationToken).ConfigureAwait(false);
        await response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}
