using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Servers;

/// <summary>Finds the server that a person means by an id, a name or a URL.</summary>
public static class ServerLookup
{
    private const int Shown = 20;

    /// <summary>The one server; null if there is none or if there are several. <see cref="Failure"/> says which.</summary>
    public static McpServer? Find(IReadOnlyList<McpServer> all, string text) => Matches(all, text) is [var one] ? one : null;

    /// <summary>The one server.</summary>
    /// <exception cref="McpAuthException">ServerNotFound; InvalidValue: several servers are meant.</exception>
    public static McpServer Get(IReadOnlyList<McpServer> all, string text) => Find(all, text) ?? throw Failure(all, text);

    /// <summary>Whether a person meant a URL.</summary>
    public static bool IsUrl(string text) => text.Contains("://", StringComparison.Ordinal);

    /// <summary>The servers at that URL.</summary>
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

    /// <summary>Why a text means no server, or more than one.</summary>
    /// <param name="mayBeSecret">Whether the text must not be repeated.</param>
    public static McpAuthException Failure(IReadOnlyList<McpServer> all, string text, bool mayBeSecret = false)
    {
        if (Matches(all, text) is { Count: > 1 } several)
        {
            return Ambiguous(several, AtUrl(all, text).Count > 1 ? "are at that URL" : "have a name like that");
        }
        if (IsUrl(text))
        {
            return new McpAuthException(ErrorReason.ServerNotFound, "No server in the catalog has that URL.",
                new AddServerStep(mayBeSecret || MayHoldSecret(text) ? null : text));
        }
        var what = mayBeSecret ? "No server of that name." : $"There is no server '{UntrustedText.Sanitize(text)}'.";
        return all.Count == 0
            ? new McpAuthException(ErrorReason.ServerNotFound, what + " There are none yet.", new AddServerStep())
            : new McpAuthException(ErrorReason.ServerNotFound, $"{what} There {(all.Count == 1 ? "is" : "are")}: {Names(all)}.", new ListServersStep())
            {
                Server = mayBeSecret ? null : UntrustedText.Sanitize(text),
            };
    }

    internal static McpAuthException Ambiguous(IReadOnlyList<McpServer> several, string why) => new(ErrorReason.InvalidValue,
        $"Several servers {why}: {string.Join(", ", several.Take(Shown).Select(s => s.Name == s.Id ? s.Id : $"{s.Name} (id {s.Id})"))}"
        + $"{(several.Count > Shown ? ", …" : "")}.", "Give the id of the one you mean.");

    /// <summary>Names of servers, for an error.</summary>
    public static string Names(IReadOnlyList<McpServer> servers) =>
        string.Join(", ", servers.Take(Shown).Select(s => s.Name)) + (servers.Count > Shown ? ", …" : "");

    /// <summary>
    /// The best matches: the id or name as it is, then the URL, then the id or name in any letter case. A catalog that another
    /// program wrote may hold names that differ in nothing else.
    /// </summary>
    private static IReadOnlyList<McpServer> Matches(IReadOnlyList<McpServer> all, string text)
    {
        if ((all.FirstOrDefault(s => s.Id == text) ?? all.FirstOrDefault(s => s.Name == text)) is { } exact)
        {
            return [exact];
        }
        return AtUrl(all, text) is { Count: > 0 } there ? there
            : [.. all.Where(s => ServerCatalog.HasName(s, text))];
    }

    /// <summary>Some servers take their key in the query or the user information of the URL.</summary>
    private static bool MayHoldSecret(string url) => url.AsSpan().ContainsAny('?', '@');
}
