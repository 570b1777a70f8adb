using System.Text;
using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>Writes values as the text around them is written.</summary>
/// <param name="NewLine">The line end.</param>
/// <param name="Unit">The indentation of one level.</param>
/// <param name="HasFlushLists">Whether the dashes of a list are as far left as its key.</param>
internal sealed record YamlStyle(string NewLine, string Unit, bool HasFlushLists)
{
    /// <summary>Writes what follows the colon of a key: a value on the same line, or lines that begin with a line end.</summary>
    /// <param name="value">The value.</param>
    /// <param name="indent">The indentation of the key.</param>
    public string AfterKey(JsonNode? value, string indent) => value switch
    {
        JsonObject { Count: > 0 } or JsonArray { Count: > 0 } => Lines(value, indent),
        _ => " " + Flow(value),
    };

    /// <summary>Writes a map or list under a key. Each line begins with a line end.</summary>
    public string Lines(JsonNode value, string indent) => value is JsonObject map
        ? Members(map, indent + Unit)
        : Items((JsonArray)value, HasFlushLists ? indent : indent + Unit);

    /// <summary>Writes the members of a map. Each line begins with a line end.</summary>
    public string Members(JsonObject map, string indent)
    {
        var result = new StringBuilder();
        foreach (var (key, value) in map)
        {
            result.Append(NewLine).Append(indent).Append(Member(key, value, indent));
        }
        return result.ToString();
    }

    public string Member(string key, JsonNode? value, string indent) => $"{YamlScalar.Write(key)}:{AfterKey(value, indent)}";

    /// <summary>Writes the elements of a list. Each line begins with a line end.</summary>
    public string Items(JsonArray list, string indent) => string.Concat(list.Select(i => NewLine + indent + Item(i, indent)));

    /// <summary>Writes an element of a list, from its dash.</summary>
    public string Item(JsonNode? value, string indent) => value is JsonObject { Count: > 0 } map
        ? string.Concat("- ", Members(map, indent + "  ").AsSpan(NewLine.Length + indent.Length + 2))
        : "- " + Flow(value);

    /// <summary>Writes a value on one line.</summary>
    public static string Flow(JsonNode? value) => value switch
    {
        JsonObject map => $"{{{string.Join(", ", map.Select(m => FlowMember(m.Key, m.Value)))}}}",
        JsonArray list => $"[{string.Join(", ", list.Select(Flow))}]",
        _ => YamlScalar.Write(value),
    };

    public static string FlowMember(string key, JsonNode? value) => $"{YamlScalar.Write(key)}: {Flow(value)}";
}
