using System.Globalization;
using System.Text;

namespace McpSm.Core.Management.McpRemote;

/// <summary>Texts as JavaScript writes them.</summary>
internal static class McpRemoteText
{
    /// <summary>Writes an object of texts as <c>JSON.stringify</c> does, with sorted names.</summary>
    public static string Stringify(IReadOnlyDictionary<string, string> values) =>
        "{" + string.Join(',', values.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Quote(pair.Key) + ":" + Quote(pair.Value))) + "}";

    /// <summary>Puts the values of variables in the place of <c>${VARIABLE}</c>; null if one is not set.</summary>
    public static string? Expand(string value, IReadOnlyDictionary<string, string> variables)
    {
        var text = new StringBuilder();
        while (value.IndexOf("${", StringComparison.Ordinal) is >= 0 and var start && value.IndexOf('}', start) is > 0 and var end && end > start + 2)
        {
            if (!variables.TryGetValue(value[(start + 2)..end], out var found))
            {
                return null;
            }
            text.Append(value, 0, start).Append(found);
            value = value[(end + 1)..];
        }
        return text.Append(value).ToString();
    }

    private static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        for (var i = 0; i < text.Length; i++)
        {
            var isPair = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]);
            _ = text[i] switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\b' => quoted.Append("\\b"),
                '\f' => quoted.Append("\\f"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                < ' ' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}"),
                _ when isPair => quoted.Append(text[i]).Append(text[++i]),
                _ when char.IsSurrogate(text[i]) => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}"),
                var other => quoted.Append(other),
            };
        }
        return quoted.Append('"').ToString();
    }
}
