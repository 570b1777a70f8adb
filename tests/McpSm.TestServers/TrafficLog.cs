using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace McpSm.TestServers;

/// <summary>All requests that a server received, in order, including those with faults. Thread-safe.</summary>
public sealed class TrafficLog
{
    private readonly Lock _gate = new();
    private readonly List<RecordedRequest> _requests = [];

    public IReadOnlyList<RecordedRequest> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Returns the requests of exactly one path, and of one method if given.</summary>
    public IReadOnlyList<RecordedRequest> To(string path, string? method = null) =>
        [.. Requests.Where(r => r.Path == path && (method is null || r.Method == method))];

    /// <summary>Returns the requests of a path and of all paths below it.</summary>
    public IReadOnlyList<RecordedRequest> Below(string pathPrefix) =>
        [.. Requests.Where(r => PathPrefix.Covers(pathPrefix, r.Path))];

    /// <summary>Returns the requests whose form has this grant type.</summary>
    public IReadOnlyList<RecordedRequest> OfGrant(string grantType) =>
        [.. Requests.Where(r => r.Method == "POST" && r.FormValue("grant_type") == grantType)];

    public int Count(string path, string? method = null) => To(path, method).Count;

    public void Clear()
    {
        lock (_gate)
        {
            _requests.Clear();
        }
    }

    internal async Task RecordAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        request.EnableBuffering();
        using var reader = new StreamReader(request.Body, Encoding.UTF8, leaveOpen: true);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        request.Body.Position = 0;

        var recorded = new RecordedRequest
        {
            Time = DateTimeOffset.UtcNow,
            Method = request.Method,
            Path = request.Path.Value ?? "",
            QueryString = request.QueryString.Value ?? "",
            Headers = new Dictionary<string, StringValues>(request.Headers, StringComparer.OrdinalIgnoreCase),
            Body = body,
        };

        var connection = new AbortedRequestProbe(context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>());
        context.Features.Set<IHttpRequestLifetimeFeature>(connection);

        // Set before the first byte is sent, so that a client that has the response finds its status here.
        context.Response.OnStarting(() =>
        {
            recorded.StatusCode = connection.Aborted ? 0 : context.Response.StatusCode;
            return Task.CompletedTask;
        });
        lock (_gate)
        {
            _requests.Add(recorded);
        }

        await next(context);
    }
}
