using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>Converts values of a document to JSON nodes, and repeats the values of aliases up to a limit.</summary>
internal sealed class ConfigurationNodes
{
    private const int MaxNodes = 1_000_000;
    private const int MaxDepth = 500;

    private int _count;
    private int _depth;

    /// <summary>Converts a value.</summary>
    /// <exception cref="ConfigurationLayoutException">The aliases repeat too many values.</exception>
    public static JsonNode? Convert(ConfigurationValue value) => new ConfigurationNodes().ToNode(value);

    private JsonNode? ToNode(ConfigurationValue value)
    {
        if (++_count > MaxNodes || ++_depth > MaxDepth)
        {
            throw new ConfigurationLayoutException(1, "its aliases stand for too many values");
        }
        var node = value.Kind switch
        {
            ValueKind.Map => ToObject(value),
            ValueKind.List => new JsonArray([.. value.Items.Select(ToNode)]),
            ValueKind.Alias => ToNode(value.Target!),
            _ => value.Scalar?.DeepClone(),
        };
        _depth--;
        return node;
    }

    private JsonObject ToObject(ConfigurationValue map)
    {
        var node = new JsonObject();
        foreach (var member in map.Members)
        {
            node[member.Key] = ToNode(member.Value);
        }
        return node;
    }
}
