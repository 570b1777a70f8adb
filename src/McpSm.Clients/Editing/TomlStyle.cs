using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>Writes values as TOML.</summary>
internal static class TomlStyle
{
    /// <summary>Writes a table with its header, and the tables in it. Ends with a line end.</summary>
    public static string Table(TomlPath path, bool isElement, JsonObject map, string newLine)
    {
        var result = new StringBuilder();
        var header = Key(path.Keys);
        result.Append(isElement ? $"[[{header}]]" : $"[{header}]").Append(newLine);
        foreach (var (key, value) in map.Where(m => !IsTable(m.Value)))
        {
            result.Append(Pair([key], value)).Append(newLine);
        }
        foreach (var (key, value) in map.Where(m => IsTable(m.Value)))
        {
            result.Append(newLine).Append(Table(path.Add(key), false, (JsonObject)value!, newLine));
        }
        return result.ToString();
    }

    /// <summary>Whether a value is written as a table of its own.</summary>
    public static bool IsTable(JsonNode? value) => value is JsonObject { Count: > 0 };

    public static string Pair(IEnumerable<string> keys, JsonNode? value) => $"{Key(keys)} = {Value(value)}";

    /// <summary>Writes a value on one line.</summary>
    /// <exception cref="ConfigurationLayoutException">The value is null, which TOML does not have.</exception>
    public static string Value(JsonNode? value) => value switch
    {
        null => throw new ConfigurationLayoutException(1, "TOML cannot have the value null"),
        JsonObject { Count: 0 } => "{}",
        JsonObject map => $"{{ {string.Join(", ", map.Select(m => Pair([m.Key], m.Value)))} }}",
        JsonArray list => $"[{string.Join(", ", list.Select(Value))}]",
        JsonValue scalar when scalar.TryGetValue<string>(out var text) => Text(text),
        _ => JsonStyle.Scalar(value),
    };

    private static string Key(IEnumerable<string> keys) => string.Join('.', keys.Select(k => k.Length > 0 && k.All(IsBare) ? k : Basic(k)));

    private static bool IsBare(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';

    /// <summary>Writes a text. Windows paths are easier to read in a literal string.</summary>
    private static string Text(string text) =>
        text.AsSpan().IndexOfAny('\\', '"') >= 0 && !text.Any(c => c == '\'' || char.IsControl(c)) ? $"'{text}'" : Basic(text);

    private static string Basic(string text)
    {
        var result = new StringBuilder("\"");
        foreach (var c in text)
        {
            result.Append(c switch
            {
                '"' or '\\' => $"\\{c}",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when char.IsControl(c) => "\\u" + ((int)c).ToString("x4", CultureInfo.InvariantCulture),
                _ => c.ToString(),
            });
        }
        return result.Append('"').ToString();
    }
}
