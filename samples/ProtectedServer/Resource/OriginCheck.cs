using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Refuses web pages of other origins, which could reach loopback with DNS rebinding (MCP specification, transports).</summary>
internal sealed class OriginCheck(Func<string> ownOrigin)
{
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0 || origin == ownOrigin())
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }
}
