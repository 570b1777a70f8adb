using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.TestServers;

/// <summary>
/// Faults in front of a server. A fault is found by path prefix (whole segments), the oldest first. It ends after its number of
/// requests, or without a number at <see cref="Clear"/>.
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

    /// <summary>Handles the request instead of the real endpoint.</summary>
    public void Intercept(string pathPrefix, RequestDelegate handler, int? times = null) =>
        Add(new Fault(Kind.Intercept, pathPrefix, times) { Handle = c => handler(c) });

    /// <summary>Sends a status and a body instead of the response of the real endpoint.</summary>
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

    /// <summary>Changes the JSON object in the response of the real endpoint. Other responses stay unchanged.</summary>
    public void RewriteJson(string pathPrefix, Action<JsonObject> change, int? times = null) =>
        Add(new Fault(Kind.Rewrite, pathPrefix, times) { Change = change });

    /// <summary>Changes the Location of the redirect of the real endpoint. Other responses stay unchanged.</summary>
    public void RewriteRedirect(string pathPrefix, Func<string, string> change, int? times = null) =>
        Add(new Fault(Kind.Redirect, pathPrefix, times) { Relocate = change });

    /// <summary>Runs an action, such as a wait, before the real endpoint handles the request.</summary>
    public void Before(string pathPrefix, Func<HttpContext, Task> action, int? times = null) =>
        Add(new Fault(Kind.Before, pathPrefix, times) { Handle = action });

    /// <summary>Waits before the real endpoint handles the request.</summary>
    public void Delay(string pathPrefix, TimeSpan delay, int? times = null) =>
        Before(pathPrefix, context => Task.Delay(delay, context.RequestAborted), times);

    /// <summary>Sends no response until the client or the server closes the connection.</summary>
    public void Hang(string pathPrefix, int? times = null) =>
        Intercept(pathPrefix, context => Task.Delay(Timeout.Infinite, context.RequestAborted), times);

    /// <summary>Lets the real endpoint handle the request, then closes the connection without its response.</summary>
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

    // The endpoint writes to memory, so that nothing is sent before the fault has acted.
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
            // Pages and empty responses pass unchanged: only JSON objects are rewritten.
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

        /// <summary>The number of requests left. Null means no limit: it stays null if it is decremented.</summary>
        public int? Left { get; set; } = times;

        public Func<HttpContext, Task>? Handle { get; init; }

        public Action<JsonObject>? Change { get; init; }

        public Func<string, string>? Relocate { get; init; }
    }
}
