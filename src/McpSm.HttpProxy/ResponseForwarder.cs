using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace McpSm.HttpProxy;

/// <summary>Passes an answer of the server to the caller.</summary>
internal static class ResponseForwarder
{
    private const int BufferSize = 16 * 1024;

    /// <summary>Passes status, headers and body. Each part of the body is sent on as it comes, so that an event does not wait for the next one.</summary>
    /// <exception cref="IOException">The connection to the server broke. Also HttpRequestException.</exception>
    public static async Task ForwardAsync(HttpResponseMessage from, HttpContext context, CancellationToken cancellationToken)
    {
        var to = context.Response;
        to.StatusCode = (int)from.StatusCode;
        ProxiedHeaders.Copy(from, to);
        if (!HasBody(to.StatusCode))
        {
            return;
        }
        to.ContentLength = from.Content.Headers.ContentLength;
        var body = await from.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = body.ConfigureAwait(false);
        if (to.ContentLength is null)
        {
            // The headers of a stream come at once, although its first event may take hours.
            await to.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
            {
                await to.Body.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                await to.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Writes an answer that is in memory.</summary>
    public static async Task WriteAsync(HttpContext context, int status, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = status;
        if (!HasBody(status))
        {
            return;
        }
        context.Response.ContentType ??= "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, cancellationToken).ConfigureAwait(false);
    }

    private static bool HasBody(int status) =>
        status is not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified);
}
