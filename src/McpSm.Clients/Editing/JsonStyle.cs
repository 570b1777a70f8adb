using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>Writes values as the text around them is written.</summary>
/// <param name="NewLine">The line end.</param>
/// <param name="Unit">The indentation of one level.</param>
/// <param name="IsCompact">Whether there is no blank after colons and commas.</param>
/// <param name="IsOnOneLine">Whether maps stay on one line.</param>
/// <param name="Padding">The blank inside of the braces of a map on one line.</param>
internal sealed record JsonStyle(string NewLine, string Unit, bool IsCompact, bool IsOnOneLine, string Padding)
{
    public string Separator => IsCompact ? "," : ", ";

    /// <summary>Writes a member of a map, or an element of a list if the key is null.</summary>
    public string Element(string? key, JsonNode? value, string indent) =>
        key is null ? Value(value, indent, false) : $"{Key(key)}{Value(value, indent, false)}";

    /// <summary>Writes a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="indent">The indentation of its line.</param>
    /// <param name="spreadsLists">Whether each element of a list has a line. Else only lists with maps are written that way.</param>
    public string Value(JsonNode? value, string indent, bool spreadsLists) => value switch
    {
        JsonObject { Count: 0 } => "{}",
        JsonObject map when IsOnOneLine => $"{{{Padding}{string.Join(Separator, map.Select(m => Key(m.Key) + Value(m.Value, indent, false)))}{Padding}}}",
        JsonObject map => Lines('{', map.Select(m => Key(m.Key) + Value(m.Value, indent + Unit, spreadsLists)), '}', indent),
        JsonArray { Count: 0 } => "[]",
        JsonArray list when !IsOnOneLine && (spreadsLists || list.Any(i => i is JsonObject or JsonArray)) =>
            Lines('[', list.Select(i => Value(i, indent + Unit, spreadsLists)), ']', indent),
        JsonArray list => $"[{string.Join(Separator, list.Select(i => Value(i, indent, false)))}]",
        _ => Scalar(value),
    };

    private string Lines(char open, IEnumerable<string> elements, char close, string indent) =>
        $"{open}{NewLine}{indent}{Unit}{string.Join($",{NewLine}{indent}{Unit}", elements)}{NewLine}{indent}{close}";

    private string Key(string key) => $"{Scalar(JsonValue.Create(key))}{(IsCompact ? ":" : ": ")}";

    /// <summary>Writes a scalar as JSON.</summary>
    public static string Scalar(JsonNode? value)
    {
        if (value is null)
        {
            return "null";
        }
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            value.WriteTo(writer);
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
