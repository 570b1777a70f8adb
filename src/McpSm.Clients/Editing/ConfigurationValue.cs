using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>A value of a document, with its place in the text.</summary>
internal sealed class ConfigurationValue(ValueKind kind, int start)
{
    public ValueKind Kind { get; } = kind;

    /// <summary>The position of the first character. In TOML, tables that are spread over the file begin at their first part.</summary>
    public int Start { get; } = start;

    /// <summary>The position after the last character.</summary>
    public int End { get; set; }

    /// <summary>The members of a map, in the order of the text. Keys may repeat in JSON, and the last one counts.</summary>
    public List<ConfigurationMember> Members { get; } = [];

    /// <summary>The elements of a list.</summary>
    public List<ConfigurationValue> Items { get; } = [];

    /// <summary>The value of a scalar; null for null.</summary>
    public JsonNode? Scalar { get; init; }

    /// <summary>The name of the anchor of an alias.</summary>
    public string? Anchor { get; init; }

    /// <summary>The value that an alias repeats.</summary>
    public ConfigurationValue? Target { get; init; }

    public bool IsNull => Kind == ValueKind.Scalar && Scalar is null;

    /// <summary>Returns the member with this key that counts.</summary>
    public ConfigurationMember? Find(string key) => Members.FindLast(m => m.Key == key);

    /// <summary>Returns the text of a scalar; null for all other values.</summary>
    public string? Text => Scalar is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
