using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Http;

namespace McpSm.HttpProxy;

/// <summary>Writes the errors of the proxy itself: JSON-RPC errors, so that a client of MCP shows their message.</summary>
internal static class ErrorAnswer
{
    private static readonly ReadOnlyMemory<byte> NoId = "null"u8.ToArray();

    /// <param name="context">The request and its response.</param>
    /// <param name="refusal">Why the request is refused.</param>
    /// <param name="id">The JSON of the id of the request; empty if it has none.</param>
    public static async Task WriteAsync(HttpContext context, Refusal refusal, ReadOnlyMemory<byte> id = default)
    {
        if (context.Response.HasStarted)
        {
            // A clean end would look like a complete answer.
            context.Abort();
            return;
        }
        var body = ErrorMessage.Create(id.IsEmpty ? NoId : id, refusal.Failure);
        context.Response.StatusCode = refusal.Status;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
    }
}
