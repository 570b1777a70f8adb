using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace McpSm.TestServers;

/// <summary>One request as it reached a server.</summary>
public sealed class RecordedRequest
{
    public required DateTimeOffset Time { get; init; }

    public required string Method { get; init; }

    public required string Path { get; init; }

    /// <summary>With its question mark; empty if there was none.</summary>
    public required string QueryString { get; init; }

    /// <summary>Names are compared without case.</summary>
    public required IReadOnlyDictionary<string, StringValues> Headers { get; init; }

    public required string Body { get; init; }

    /// <summary>The status that was sent; 0 until then, and for good where the server cut the connection.</summary>
    public int StatusCode { get; internal set; }

    /// <summary>The query's parameters; each may have several values.</summary>
    public IReadOnlyDictionary<string, StringValues> Query => Parse(QueryString);

    /// <summary>The parameters of a form body; each may have several values.</summary>
    public IReadOnlyDictionary<string, StringValues> Form => Parse(Body);

    /// <summary>The body as JSON; null if it is empty.</summary>
    public JsonNode? Json => Body.Length == 0 ? null : JsonNode.Parse(Body);

    /// <summary>A header's value, or null.</summary>
    public string? Header(string name) => Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>One parameter of the query, or null.</summary>
    public string? QueryValue(string name) => Query.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>One parameter of the form, or null.</summary>
    public string? FormValue(string name) => Form.TryGetValue(name, out var value) ? value.ToString() : null;

    public override string ToString() => $"{Method} {Path}{QueryString} -> {StatusCode}";

    private static Dictionary<string, StringValues> Parse(string text) =>
        new(QueryHelpers.ParseQuery(text), StringComparer.Ordinal);
}
