using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Turns away web pages of other origins, which could reach loopback by rebinding a name (MCP transports).</summary>
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
