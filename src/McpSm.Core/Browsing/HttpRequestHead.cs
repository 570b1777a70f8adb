using System.Net;

namespace McpSm.Core.Browsing;

/// <summary>The request line and header fields of an HTTP request (RFC 9112 sections 3 and 5).</summary>
internal sealed class HttpRequestHead
{
    private readonly string[] _fields;

    private HttpRequestHead(string method, string target, string[] fields)
    {
        Method = method;
        _fields = fields;
        var question = target.IndexOf('?');
        (Path, Query) = question < 0 ? (target, "") : (target[..question], target[question..]);
    }

    public string Method { get; }

    public string Path { get; }

    /// <summary>The query with its question mark; empty without a query.</summary>
    public string Query { get; }

    /// <summary>Parses the head of a request.</summary>
    /// <param name="head">The lines before the empty line.</param>
    /// <returns>The head; null if the first line is not a request line.</returns>
    public static HttpRequestHead? Parse(string head)
    {
        var lines = head.Split("\r\n");
        var parts = lines[0].Split(' ');
        return parts.Length == 3 ? new HttpRequestHead(parts[0], parts[1], lines[1..]) : null;
    }

    /// <summary>Returns the value of a field; null if the field is missing or repeated.</summary>
    public string? Field(string name)
    {
        var values = _fields.Where(f => f.Length > name.Length && f[name.Length] == ':' && f.StartsWith(name, StringComparison.OrdinalIgnoreCase)).ToList();
        return values.Count == 1 ? values[0][(name.Length + 1)..].Trim() : null;
    }

    /// <summary>Parses the parameters of a query; null if one is repeated, which RFC 6749 section 3.1 forbids.</summary>
    public static IReadOnlyDictionary<string, string>? ReadQuery(string query)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            var name = WebUtility.UrlDecode(equals < 0 ? pair : pair[..equals]);
            if (!values.TryAdd(name, equals < 0 ? "" : WebUtility.UrlDecode(pair[(equals + 1)..])))
            {
                return null;
            }
        }
        return values;
    }
}
