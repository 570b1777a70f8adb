using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.TestServers;

/// <summary>
/// What goes wrong in front of a server. Faults are found by path prefix (whole segments), earliest first, and
/// each ends after its number of times; without a number it stays until <see cref="Clear"/>.
/// </summary>
public sealed class Faults
{
    private readonly Lock _gate = new();
    private readonly List<Fault> _faults = [];

    private enum Kind
    {
        Before,
        Intercept,
        Rewrite,
        Redirect,
        Drop,
    }

    /// <summary>Answers in place of the real endpoint, which never sees the request.</summary>
    public void Intercept(string pathPrefix, RequestDelegate handler, int? times = null) =>
        Add(new Fault(Kind.Intercept, pathPrefix, times) { Handle = c => handler(c) });

    /// <summary>Answers a status and a body in place of the real endpoint.</summary>
    public void Answer(
        string pathPrefix,
        int status,
        string body = "",
        string contentType = "application/json",
        int? times = null) =>
        Intercept(
            pathPrefix,
            context =>
            {
                context.Response.StatusCode = status;
                context.Response.ContentType = contentType;
                return context.Response.WriteAsync(body);
            },
            times);

    /// <summary>Lets the real endpoint answer and changes the JSON object in its answer, if it is one.</summary>
    public void RewriteJson(string pathPrefix, Action<JsonObject> change, int? times = null) =>
        Add(new Fault(Kind.Rewrite, pathPrefix, times) { Change = change });

    /// <summary>Lets the real endpoint answer and changes the Location of its redirect, if it is one.</summary>
    public void RewriteRedirect(string pathPrefix, Func<string, string> change, int? times = null) =>
        Add(new Fault(Kind.Redirect, pathPrefix, times) { Relocate = change });

    /// <summary>Does something first, such as waiting; then the real endpoint answers.</summary>
    public void Before(string pathPrefix, Func<HttpContext, Task> action, int? times = null) =>
        Add(new Fault(Kind.Before, pathPrefix, times) { Handle = action });

    /// <summary>Waits first; then the real endpoint answers.</summary>
    public void Delay(string pathPrefix, TimeSpan delay, int? times = null) =>
        Before(pathPrefix, context => Task.Delay(delay, context.RequestAborted), times);

    /// <summary>Never answers; the request ends when the client or the server does.</summary>
    public void Hang(string pathPrefix, int? times = null) =>
        Intercept(pathPrefix, context => Task.Delay(Timeout.Infinite, context.RequestAborted), times);

    /// <summary>The real endpoint does its work, but the connection breaks and the answer is lost.</summary>
    public void DropConnectionAfterHandling(string pathPrefix, int? times = null) =>
        Add(new Fault(Kind.Drop, pathPrefix, times));

    /// <summary>Ends every fault.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _faults.Clear();
        }
    }

    internal async Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        foreach (var before in Take(context, Kind.Before, atMost: int.MaxValue))
        {
            await before.Handle!(context);
        }

        if (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        if (Take(context, Kind.Intercept, atMost: 1) is [var intercept])
        {
            await intercept.Handle!(context);
            return;
        }

        var drop = Take(context, Kind.Drop, atMost: 1).Count > 0;
        var rewrites = Take(context, Kind.Rewrite, atMost: int.MaxValue);
        var redirects = Take(context, Kind.Redirect, atMost: int.MaxValue);
        if (!drop && rewrites.Count == 0 && redirects.Count == 0)
        {
            await next(context);
            return;
        }

        var body = await HoldBackAsync(context, next);
        if (drop)
        {
            context.Abort();
            return;
        }

        foreach (var redirect in redirects.Where(_ => context.Response.Headers.Location.Count > 0))
        {
            context.Response.Headers.Location = redirect.Relocate!(context.Response.Headers.Location.ToString());
        }

        await SendAsync(context.Response, rewrites.Count == 0 ? body : Rewrite(body, rewrites));
    }

    // The endpoint writes to memory, so that nothing has left when the fault decides.
    private static async Task<byte[]> HoldBackAsync(HttpContext context, RequestDelegate next)
    {
        var wire = context.Response.Body;
        using var held = new MemoryStream();
        context.Response.Body = held;
        try
        {
            await next(context);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
        finally
        {
            context.Response.Body = wire;
        }

        return held.ToArray();
    }

    private static byte[] Rewrite(byte[] body, List<Fault> rewrites)
    {
        JsonObject json;
        try
        {
            if (JsonNode.Parse(body) is not JsonObject parsed)
            {
                return body;
            }

            json = parsed;
        }
        catch (JsonException)
        {
            // Pages and empty answers pass as they are: only JSON objects are rewritten.
            return body;
        }

        rewrites.ForEach(r => r.Change!(json));
        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    private static async Task SendAsync(HttpResponse response, byte[] body)
    {
        if (body.Length > 0)
        {
            response.ContentLength = body.Length;
            await response.Body.WriteAsync(body);
        }
    }

    private void Add(Fault fault)
    {
        lock (_gate)
        {
            _faults.Add(fault);
        }
    }

    private List<Fault> Take(HttpContext context, Kind kind, int atMost)
    {
        var path = context.Request.Path.Value ?? "";
        lock (_gate)
        {
            var taken = _faults.Where(f => f.Kind == kind && PathPrefix.Covers(f.Prefix, path)).Take(atMost).ToList();
            foreach (var fault in taken)
            {
                fault.Left--;
                if (fault.Left <= 0)
                {
                    _faults.Remove(fault);
                }
            }

            return taken;
        }
    }

    private sealed class Fault(Kind kind, string prefix, int? times)
    {
        public Kind Kind { get; } = kind;

        public string Prefix { get; } = prefix;

        /// <summary>Null never ends: neither less nor equal to zero, whatever is taken from it.</summary>
        public int? Left { get; set; } = times;

        public Func<HttpContext, Task>? Handle { get; init; }

        public Action<JsonObject>? Change { get; init; }

        public Func<string, string>? Relocate { get; init; }
    }
}
