using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace McpSm.TestServers;

/// <summary>A request that a server received.</summary>
public sealed class RecordedRequest
{
    public required DateTimeOffset Time { get; init; }

    public required string Method { get; init; }

    public required string Path { get; init; }

    /// <summary>The query with its question mark; empty without a query.</summary>
    public required string QueryString { get; init; }

    /// <summary>The headers. Names are compared without regard to case.</summary>
    public required IReadOnlyDictionary<string, StringValues> Headers { get; init; }

    public required string Body { get; init; }

    /// <summary>The status of the response; 0 before the response, or if the server closed the connection.</summary>
    public int StatusCode { get; internal set; }

    /// <summary>The parameters of the query; each can have several values.</summary>
    public IReadOnlyDictionary<string, StringValues> Query => Parse(QueryString);

    /// <summary>The parameters of a form body; each can have several values.</summary>
    public IReadOnlyDictionary<string, StringValues> Form => Parse(Body);

    /// <summary>The body as JSON; null if it is empty.</summary>
    public JsonNode? Json => Body.Length == 0 ? null : JsonNode.Parse(Body);

    /// <summary>Returns the value of a header, or null.</summary>
    public string? Header(string name) => Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>Returns a parameter of the query, or null.</summary>
    public string? QueryValue(string name) => Query.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>Returns a parameter of the form, or null.</summary>
    public string? FormValue(string name) => Form.TryGetValue(name, out var value) ? value.ToString() : null;

    public override string ToString() => $"{Method} {Path}{QueryString} -> {StatusCode}";

    private static Dictionary<string, StringValues> Parse(string text) =>
        new(QueryHelpers.ParseQuery(text), StringComparer.Ordinal);
}
