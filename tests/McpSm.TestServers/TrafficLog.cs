using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace McpSm.TestServers;

/// <summary>Every request a server got, in the order they came, faulty or not. Safe to read at any time.</summary>
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

    /// <summary>Those of one path, exactly, and one method if given.</summary>
    public IReadOnlyList<RecordedRequest> To(string path, string? method = null) =>
        [.. Requests.Where(r => r.Path == path && (method is null || r.Method == method))];

    /// <summary>Those of a path and of all below it.</summary>
    public IReadOnlyList<RecordedRequest> Below(string pathPrefix) =>
        [.. Requests.Where(r => PathPrefix.Covers(pathPrefix, r.Path))];

    /// <summary>Those whose form names this grant type.</summary>
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

        // Before the first byte leaves: whoever has the answer finds its status here.
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
