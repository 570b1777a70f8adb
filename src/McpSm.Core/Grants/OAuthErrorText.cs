using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Grants;

/// <summary>
/// Reads the message of an error response. RFC 6749 section 5.2 uses <c>error_description</c>, and RFC 9457 uses <c>title</c> and
/// <c>detail</c>. Gateways, frameworks and identity providers use other names.
/// </summary>
internal static class OAuthErrorText
{
    private const int MaxDepth = 4;
    private const int MaxErrors = 5;

    // Best first. Names are compared without case, dashes and underscores.
    private static readonly string[] Names =
    [
        "errordescription", "errorsummary", "errormessage", "errormsg", "message", "msg", "faultstring", "detail", "details", "description",
        "reason", "usermessage", "developermessage", "hint",
    ];

    // Each may contain one error, or an array of errors.
    private static readonly string[] Containers = ["error", "errors", "messages", "errorcauses", "fault"];

    private static readonly string[] Codes = ["code", "errorcode", "status", "type"];

    /// <summary>Returns the message of a response as one sanitized line; null if it has none.</summary>
    /// <param name="body">The JSON of the response; null if the response is not JSON.</param>
    /// <param name="sent">The secrets of the request, which are removed from the message.</param>
    public static string? Read(JsonElement? body, IReadOnlyList<string?> sent)
    {
        try
        {
            return body is { ValueKind: JsonValueKind.Object or JsonValueKind.Array } json ? Line(Read(json, MaxDepth), sent) : null;
        }
        catch (InvalidOperationException)
        {
            // A name or a string contains half a surrogate pair.
            return null;
        }
    }

    /// <summary>Returns the message of a response in the query of a redirect (RFC 6749 section 4.1.2.1); null if it has none.</summary>
    public static string? Read(IReadOnlyDictionary<string, string> answer) =>
        Line([Names.Append("title").Select(name => answer.FirstOrDefault(a => Normal(a.Key) == name).Value)
            .FirstOrDefault(v => !string.IsNullOrWhiteSpace(v)) ?? ""], []);

    private static string? Line(IEnumerable<string> words, IReadOnlyList<string?> sent) =>
        UntrustedText.Sanitize(string.Join("; ", words.Select(w => w.Trim()).Where(w => w.Length > 0).Distinct().Take(MaxErrors)), sent)
            is { Length: > 0 } line ? line : null;

    private static IEnumerable<string> Read(JsonElement value, int depth) => value.ValueKind switch
    {
        JsonValueKind.String => value.TextOrNull() is { } text ? [text] : [],
        JsonValueKind.Array when depth > 0 => value.EnumerateArray().Take(MaxErrors).SelectMany(v => Read(v, depth - 1)),
        JsonValueKind.Object when depth > 0 => ReadObject(value, depth - 1),
        _ => [],
    };

    private static IReadOnlyList<string> ReadObject(JsonElement json, int depth)
    {
        var members = json.EnumerateObject().GroupBy(m => Normal(m.Name)).ToDictionary(m => m.Key, m => m.First().Value);
        IReadOnlyList<string> TextsOf(string name) =>
            members.TryGetValue(name, out var value) ? [.. Read(value, depth).Where(w => !string.IsNullOrWhiteSpace(w))] : [];
        var isRoot = depth == MaxDepth - 1;
        var words = Names.Select(TextsOf).FirstOrDefault(w => w.Count > 0) ?? [];
        if (words.Count == 0)
        {
            // The error of the root object is its code, which is shown before this text.
            words = Containers.Where(c => !(isRoot && c == "error" && members.TryGetValue(c, out var code) && code.ValueKind == JsonValueKind.String))
                .Select(TextsOf).FirstOrDefault(w => w.Count > 0) ?? [];
        }
        if (words.Count == 0 && !isRoot)
        {
            // Errors of single fields, as in the example of RFC 9457 section 3.
            words = [.. members.Values.Where(v => v.ValueKind == JsonValueKind.Array).SelectMany(v => Read(v, depth)).Take(MaxErrors)];
        }
        if (TextsOf("title") is [var title] && words.FirstOrDefault() != title)
        {
            words = words.Count == 0 ? [title] : [$"{title}: {words[0]}", .. words.Skip(1)];
        }
        var codes = Codes.Select(c => members.TryGetValue(c, out var code) ? code.TextOrNull() : null).OfType<string>()
            // The type of RFC 9457 is a URL.
            .Where(c => !c.Contains(':'));
        return isRoot ? words.Count > 0 || HasError(members) ? words : [.. codes.Take(1)]
            : codes.FirstOrDefault() is { } errorCode && words.Count > 0 && errorCode != words[0] ? [$"{errorCode}: {words[0]}", .. words.Skip(1)]
            : words.Count > 0 ? words : [.. codes.Take(1)];
    }

    private static bool HasError(Dictionary<string, JsonElement> members) =>
        members.TryGetValue("error", out var error) && error.TextOrNull() is { Length: > 0 };

    private static string Normal(string name) => name.Replace("_", "").Replace("-", "").ToLowerInvariant();
}
