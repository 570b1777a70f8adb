using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>A JSON document that someone on the network wrote: read member by member, believed in none.</summary>
internal sealed class MetadataDocument
{
    private readonly JsonElement _root;
    private readonly string _what;

    private MetadataDocument(JsonElement root, string what)
    {
        _root = root;
        _what = what;
    }

    /// <exception cref="McpAuthException">MetadataInvalid: not a JSON object, or one that contradicts itself.</exception>
    public static MetadataDocument Parse(HttpDocument answer, string what)
    {
        try
        {
            var root = JsonDocument.Parse(JsonFile.WithoutMark(answer.Body)).RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new McpAuthException(ErrorReason.MetadataInvalid, $"{what} is not a JSON object.");
            }
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in root.EnumerateObject())
            {
                // Two readers could each believe another of the two.
                if (!names.Add(member.Name))
                {
                    throw new McpAuthException(ErrorReason.MetadataInvalid, $"{what} names a member twice.");
                }
            }
            return new MetadataDocument(root, what);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second where a name is half a surrogate pair, escaped: no text.
            var html = answer.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) == true;
            throw new McpAuthException(ErrorReason.MetadataInvalid, $"{what} is {(html ? "an HTML page" : "not JSON")}.");
        }
    }

    /// <exception cref="McpAuthException">MetadataInvalid: absent or not a string.</exception>
    public string Required(string name) => Optional(name)
        ?? throw new McpAuthException(ErrorReason.MetadataInvalid, $"{_what} has no '{name}'.");

    /// <summary>The string; null where it is absent, null, empty or not a string.</summary>
    public string? Optional(string name) =>
        _root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            && Text(value) is { Length: > 0 } text ? text : null;

    /// <summary>The strings of an array; null where there is no such array.</summary>
    public IReadOnlyList<string>? Strings(string name) =>
        _root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(Text).OfType<string>()]
            : null;

    public bool IsTrue(string name) => _root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>JSON can escape half a surrogate pair, which is no text.</summary>
    private static string? Text(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
