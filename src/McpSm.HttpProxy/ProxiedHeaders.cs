using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace McpSm.HttpProxy;

/// <summary>The headers that pass. All others belong to one of the two connections, or are secrets of one side.</summary>
internal static class ProxiedHeaders
{
    private const string Accept = "Accept";
    private const string ContentType = "Content-Type";

    private static readonly HashSet<string> Requests = new([Accept, ContentType, "Last-Event-ID"], StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> Responses = new([ContentType, "Retry-After", "Cache-Control"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a header of the caller passes to the server.</summary>
    public static bool IsForwarded(string name) => Requests.Contains(name) || IsProtocol(name);

    /// <summary>Copies the headers of a caller.</summary>
    /// <returns>False if one of them is ambiguous: the server could read it in another way than the proxy.</returns>
    public static bool TryCopy(HttpRequest from, HttpRequestMessage to)
    {
        // Headers that the caller names in Connection are for this connection only (RFC 9110 section 7.6.1).
        var connection = from.Headers.Connection.SelectMany(value => (value ?? "").Split(',')).Select(name => name.Trim())
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in from.Headers)
        {
            if (!IsForwarded(name) || connection.Contains(name))
            {
                continue;
            }
            if (!IsPlain(values) || (values.Count > 1 && !name.Equals(Accept, StringComparison.OrdinalIgnoreCase)))
            {
                return false;
            }
            if (name.Equals(ContentType, StringComparison.OrdinalIgnoreCase))
            {
                to.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
            else
            {
                to.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }
        return true;
    }

    /// <summary>Copies the headers of a response. A cookie or a challenge of the server never reaches the caller.</summary>
    public static void Copy(HttpResponseMessage from, HttpResponse to)
    {
        foreach (var (name, values) in from.Headers.NonValidated.Concat(from.Content.Headers.NonValidated))
        {
            if ((Responses.Contains(name) || IsProtocol(name)) && values.All(value => !value.Any(char.IsControl)))
            {
                to.Headers[name] = values.ToArray();
            }
        }
    }

    private static bool IsProtocol(string name) => name.StartsWith("Mcp-", StringComparison.OrdinalIgnoreCase);

    private static bool IsPlain(StringValues values) => values.All(value => value is not null && value.All(c => c is '\t' or (>= ' ' and <= '~')));
}
