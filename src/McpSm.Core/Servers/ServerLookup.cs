using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Servers;

/// <summary>Finds a server by id, name or URL.</summary>
internal static class ServerLookup
{
    private const int MaxShownNames = 20;

    /// <summary>Returns the server that matches; null if no server or several servers match. <see cref="Failure"/> returns the reason.</summary>
    public static McpServer? Find(IReadOnlyList<McpServer> all, string text) => Matches(all, text) is [var one] ? one : null;

    /// <summary>Returns the server that matches.</summary>
    /// <exception cref="McpAuthException">ServerNotFound. InvalidValue: several servers match.</exception>
    public static McpServer Get(IReadOnlyList<McpServer> all, string text) => Find(all, text) ?? throw Failure(all, text);

    /// <summary>Whether the text looks like a URL.</summary>
    public static bool IsUrl(string text) => text.Contains("://", StringComparison.Ordinal);

    /// <summary>Returns the servers with this URL.</summary>
    public static IReadOnlyList<McpServer> AtUrl(IReadOnlyList<McpServer> all, string url)
    {
        if (!IsUrl(url))
        {
            return [];
        }
        var same = all.Where(s => s.Url == url).ToList();
        return same.Count > 0 || !UrlPolicy.TryParse(url.Trim(), out var uri) ? same
            : [.. all.Where(s => UrlPolicy.TryParse(s.Url, out var known) && known.AbsoluteUri == uri.AbsoluteUri)];
    }

    /// <summary>Returns the error for a text that matches no server or several servers.</summary>
    /// <param name="all">All servers.</param>
    /// <param name="text">The text that the user entered.</param>
    /// <param name="mayBeSecret">Whether the message must not repeat the text.</param>
    public static McpAuthException Failure(IReadOnlyList<McpServer> all, string text, bool mayBeSecret = false)
    {
        if (Matches(all, text) is { Count: > 1 } several)
        {
            return Ambiguous(several, AtUrl(all, text).Count > 1 ? "have that URL" : "have that name");
        }
        if (IsUrl(text))
        {
            return new McpAuthException(ErrorReason.ServerNotFound, "The catalog does not have a server with that URL.",
                new AddServerStep(mayBeSecret || MayHoldSecret(text) ? null : text));
        }
        var problem = mayBeSecret ? "The server was not found." : $"The server '{UntrustedText.Sanitize(text)}' was not found.";
        return all.Count == 0
            ? new McpAuthException(ErrorReason.ServerNotFound, problem + " The catalog is empty.", new AddServerStep())
            : new McpAuthException(ErrorReason.ServerNotFound, $"{problem} Existing servers: {Names(all)}.", new ListServersStep())
            {
                Server = mayBeSecret ? null : UntrustedText.Sanitize(text),
            };
    }

    internal static McpAuthException Ambiguous(IReadOnlyList<McpServer> several, string reason) => new(ErrorReason.InvalidValue,
        $"Several servers {reason}: {string.Join(", ", several.Take(MaxShownNames).Select(s => s.Name == s.Id ? s.Id : $"{s.Name} (id {s.Id})"))}"
        + $"{(several.Count > MaxShownNames ? ", …" : "")}.", "Use the id of the server.");

    /// <summary>Returns a list of server names for an error message.</summary>
    public static string Names(IReadOnlyList<McpServer> servers) =>
        string.Join(", ", servers.Take(MaxShownNames).Select(s => s.Name)) + (servers.Count > MaxShownNames ? ", …" : "");

    /// <summary>
    /// Returns the best matches: by exact id or name, then by URL, then by id or name without regard to case. In a catalog that another program
    /// wrote, names may differ only in case.
    /// </summary>
    private static IReadOnlyList<McpServer> Matches(IReadOnlyList<McpServer> all, string text)
    {
        if ((all.FirstOrDefault(s => s.Id == text) ?? all.FirstOrDefault(s => s.Name == text)) is { } exact)
        {
            return [exact];
        }
        return AtUrl(all, text) is { Count: > 0 } sameUrl ? sameUrl
            : [.. all.Where(s => ServerCatalog.HasName(s, text))];
    }

    /// <summary>Some servers expect their key in the query or the user information of the URL.</summary>
    private static bool MayHoldSecret(string url) => url.AsSpan().ContainsAny('?', '@');
}
