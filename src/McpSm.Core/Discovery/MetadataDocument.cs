using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>A JSON document from the network. Each member is validated when it is read.</summary>
internal sealed class MetadataDocument
{
    private readonly JsonElement _root;
    private readonly string _subject;

    private MetadataDocument(JsonElement root, string what)
    {
        _root = root;
        _subject = what;
    }

    /// <summary>Parses a document.</summary>
    /// <param name="answer">The response.</param>
    /// <param name="what">What the document is, as the subject of a message.</param>
    /// <exception cref="McpAuthException">MetadataInvalid: the document is not a JSON object, or has a duplicate member.</exception>
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
                // With a duplicate member, two readers could each use a different value.
                if (!names.Add(member.Name))
                {
                    throw new McpAuthException(ErrorReason.MetadataInvalid, $"{what} has a duplicate member.");
                }
            }
            return new MetadataDocument(root, what);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name contains an escaped unpaired surrogate.
            var html = answer.MediaType?.Contains("html", StringComparison.OrdinalIgnoreCase) == true;
            throw new McpAuthException(ErrorReason.MetadataInvalid, $"{what} is {(html ? "an HTML page" : "not JSON")}.");
        }
    }

    /// <summary>Returns a string that must exist.</summary>
    /// <exception cref="McpAuthException">MetadataInvalid: the member is missing or not a string.</exception>
    public string Required(string name) => Optional(name)
        ?? throw new McpAuthException(ErrorReason.MetadataInvalid, $"{_subject} does not have a valid '{name}'.");

    /// <summary>Returns a string; null if the member is missing, null, empty or not a string.</summary>
    public string? Optional(string name) =>
        _root.TryGetProperty(name, out var value) && value.TextOrNull() is { Length: > 0 } text ? text : null;

    /// <summary>Returns the strings of an array; null if the array does not exist.</summary>
    public IReadOnlyList<string>? Strings(string name) =>
        _root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(v => v.TextOrNull()).OfType<string>()]
            : null;

    public bool IsTrue(string name) => _root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
