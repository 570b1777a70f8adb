using System.Globalization;
using System.Text.Json;
using McpSm.Core.Files;

namespace McpSm.Relay.Channels;

/// <summary>An argument of a tool that goes into a header.</summary>
/// <param name="Name">The name of the header, without <c>Mcp-Param-</c>.</param>
/// <param name="Path">The names of the properties that lead to the argument.</param>
internal sealed record ToolHeader(string Name, IReadOnlyList<string> Path)
{
    private const string Mark = "x-mcp-header";
    private const int MaxDepth = 32;

    /// <summary>Reads the marks of a schema.</summary>
    /// <returns>
    /// Null if a mark is invalid: not a token of RFC 9110 section 5.6.2, a name twice, a property that is not a string, an integer or a boolean, or a
    /// place that <c>properties</c> alone do not lead to.
    /// </returns>
    public static IReadOnlyList<ToolHeader>? ReadAll(JsonElement schema)
    {
        var found = new List<ToolHeader>();
        return ReadProperties(schema, [], found) && Count(schema, 0) == found.Count
            && found.Select(header => header.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count() == found.Count ? found : null;
    }

    /// <returns>The value for the header; null if the argument is missing or null.</returns>
    public string? Read(JsonElement arguments)
    {
        var value = arguments;
        foreach (var name in Path)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return null;
            }
        }
        return value.ValueKind switch
        {
            JsonValueKind.String => value.TextOrNull(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            JsonValueKind.Number => FormatInteger(value),
            _ => null,
        };
    }

    /// <summary>Writes an integer in decimal digits, also if the client wrote it as <c>1.0</c> or <c>1e3</c>.</summary>
    private static string FormatInteger(JsonElement value) =>
        value.TryGetInt64(out _) || !value.TryGetDecimal(out var number) || number != decimal.Truncate(number)
            ? value.GetRawText()
            : decimal.Truncate(number).ToString("0", CultureInfo.InvariantCulture);

    private static bool ReadProperties(JsonElement schema, IReadOnlyList<string> path, List<ToolHeader> found)
    {
        if (path.Count >= MaxDepth || schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("properties"u8, out var properties)
            || properties.ValueKind != JsonValueKind.Object)
        {
            return true;
        }
        foreach (var property in properties.EnumerateObject())
        {
            IReadOnlyList<string> here = [.. path, property.Name];
            if (property.Value.ValueKind == JsonValueKind.Object && property.Value.TryGetProperty(Mark, out var mark))
            {
                if (mark.TextOrNull() is not { } header || !IsToken(header) || !IsPrimitive(property.Value))
                {
                    return false;
                }
                found.Add(new ToolHeader(header, here));
            }
            if (!ReadProperties(property.Value, here, found))
            {
                return false;
            }
        }
        return true;
    }

    private static bool IsPrimitive(JsonElement property) => property.TryGetProperty("type"u8, out var type)
        && type.TextOrNull() is "string" or "integer" or "boolean";

    private static bool IsToken(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c));

    /// <summary>Counts all marks in a schema, wherever they are.</summary>
    private static int Count(JsonElement schema, int depth) => depth > MaxDepth * 2 ? 0 : schema.ValueKind switch
    {
        JsonValueKind.Object => schema.EnumerateObject().Sum(property => (property.Name == Mark && property.Value.ValueKind != JsonValueKind.Object ? 1 : 0)
            + Count(property.Value, depth + 1)),
        JsonValueKind.Array => schema.EnumerateArray().Sum(item => Count(item, depth + 1)),
        _ => 0,
    };
}
