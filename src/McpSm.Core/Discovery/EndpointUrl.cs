using System.Net;
using System.Text;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>Adds parameters to the query of an endpoint. All code that needs this uses this type.</summary>
internal static class EndpointUrl
{
    // RFC 3986: unreserved and reserved characters and the percent sign. All other characters are escaped.
    private const string Legal = "-._~:/?@!$&'()*+,;=[]%";

    /// <summary>
    /// Adds the parameters. They replace parameters with the same name in the endpoint's own query. The rest of that query is kept byte for byte and
    /// in order (RFC 6749 section 3.1). A fragment, which RFC 6749 forbids, is removed.
    /// </summary>
    /// <param name="endpoint">The URL, already checked by <see cref="UrlPolicy"/>.</param>
    /// <param name="parameters">Names and values, not escaped.</param>
    public static Uri Add(Uri endpoint, IReadOnlyDictionary<string, string> parameters)
    {
        // OAuth names are case-sensitive, but ASP.NET would read Resource and resource as one repeated parameter.
        var names = parameters.Keys.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var own = OwnQuery(endpoint.OriginalString).Split('&').Where(pair => !names.Contains(NameOf(pair)));
        var added = parameters.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}");
        var query = string.Join('&', own.Select(Escape).Concat(added)).TrimStart('&');
        var endpointWithoutQuery = new UriBuilder(endpoint) { Host = endpoint.IdnHost, Query = "", Fragment = "" }.Uri.AbsoluteUri;
        var text = $"{endpointWithoutQuery}?{query}";
        var url = new Uri(text);
        // Uri may rewrite the query: it decodes %7E, for example. The text now has only legal characters.
        return url.AbsoluteUri == text ? url : new Uri(text, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    private static string OwnQuery(string url)
    {
        var text = url.Trim();
        var end = text.IndexOf('#') is var fragment and >= 0 ? fragment : text.Length;
        var question = text.IndexOf('?', 0, end);
        return question < 0 ? "" : text[(question + 1)..end];
    }

    /// <summary>Returns the decoded name of a pair: <c>re%73ource</c> is <c>resource</c>.</summary>
    private static string NameOf(string pair) => WebUtility.UrlDecode(pair.Split('=', 2)[0]);

    private static string Escape(string text)
    {
        if (text.All(IsLegal))
        {
            return text;
        }
        var escaped = new StringBuilder(text.Length * 3);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.IsAscii && IsLegal((char)rune.Value) ? escaped.Append((char)rune.Value) : escaped.Append(Uri.EscapeDataString(rune.ToString()));
        }
        return escaped.ToString();
    }

    private static bool IsLegal(char c) => char.IsAsciiLetterOrDigit(c) || Legal.Contains(c);
}
