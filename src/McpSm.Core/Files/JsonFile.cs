using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using McpSm.Core.Errors;

namespace McpSm.Core.Files;

/// <summary>JSON files that people and other programs also edit: strict to read, whole to write.</summary>
public static class JsonFile
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    // As JSON.stringify(value, null, 2) writes: the npm tool shares config.json, and a diff should show the change.
    // Not made before something is written: its encoder costs a session 4 ms.
    private static JsonWriterOptions Written => new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The file's root object; null if there is no file. An empty file is a damaged one.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column; the file is untouched.</exception>
    public static JsonObject? Read(string path) => Open(path) is { } document ? JsonObject.Create(document.RootElement) : null;

    /// <summary>
    /// The file's root object, to be changed and written back; null if there is no file. More is damage here than for a reader: what
    /// cannot be written again as it was.
    /// </summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt; the file is untouched.</exception>
    public static JsonObject? ReadToChange(string path) => OpenToChange(path) is { } document ? JsonObject.Create(document.RootElement) : null;

    /// <summary>As <see cref="ReadToChange"/>, for a caller that looks at it first.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt; the file is untouched.</exception>
    public static JsonDocument? OpenToChange(string path)
    {
        if (AtomicFile.Read(path) is not { } content)
        {
            return null;
        }
        var document = Parse(path, content);
        RequireWritable(path, content);
        return document;
    }

    /// <summary>The file as it is, its root an object, to be read alone: a tenth of what <see cref="Read"/> costs.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column; the file is untouched.</exception>
    public static JsonDocument? Open(string path)
    {
        return AtomicFile.Read(path) is { } content ? Parse(path, content) : null;
    }

    private static JsonDocument Parse(string path, byte[] content)
    {
        RequireUtf8(path, content);
        try
        {
            var document = JsonDocument.Parse(WithoutMark(content), Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document : throw Corrupt(path, "its root is not an object");
        }
        catch (JsonException e)
        {
            throw Corrupt(path, e);
        }
        catch (InvalidOperationException)
        {
            throw Corrupt(path, "a name in it is no Unicode");
        }
    }

    /// <summary>
    /// JSON text is UTF-8 (RFC 8259 section 8.1). The parser does not look inside texts and names, and fails only when one of them is
    /// used, in the middle of some work.
    /// </summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column.</exception>
    public static void RequireUtf8(string path, ReadOnlySpan<byte> content)
    {
        if (Utf8.IsValid(content))
        {
            return;
        }
        var (line, column) = (1, 1);
        while (Rune.DecodeFromUtf8(content, out var rune, out var length) == OperationStatus.Done)
        {
            (line, column) = rune.Value == '\n' ? (line + 1, 1) : (line, column + length);
            content = content[length..];
        }
        throw Corrupt(path, $"it is not UTF-8 text at line {line}, column {column}");
    }

    /// <summary>Half a surrogate pair, escaped, can be read past, but not be written.</summary>
    private static void RequireWritable(string path, byte[] content)
    {
        if (content.AsSpan().IndexOf("\\u"u8) < 0)
        {
            return;
        }
        var reader = new Utf8JsonReader(WithoutMark(content).Span);
        try
        {
            while (reader.Read())
            {
                _ = reader is { TokenType: JsonTokenType.String or JsonTokenType.PropertyName, ValueIsEscaped: true } ? reader.GetString() : null;
            }
        }
        catch (InvalidOperationException)
        {
            throw Corrupt(path, "a text in it is not Unicode");
        }
    }

    /// <summary>Replaces the file whole.</summary>
    public static void Write(string path, JsonObject root)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Written))
        {
            root.WriteTo(writer);
        }
        AtomicFile.Replace(path, stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>Removes one member of an object and leaves every other byte of the file as it is.</summary>
    /// <param name="path">Names of members and indexes of arrays, from the root.</param>
    /// <param name="value">The text, or the text of one member, that must stand there; null where anything may.</param>
    /// <returns>Whether the member is gone; false where something else stands there.</returns>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable; the file is untouched.</exception>
    public static bool RemoveMember(string file, object[] path, string? value)
    {
        if (AtomicFile.Read(file) is not { } content)
        {
            return true;
        }
        JsonNode? found = JsonObject.Create(Parse(file, content).RootElement);
        foreach (var step in path)
        {
            found = step is int index ? found is JsonArray array && index < array.Count ? array[index] : null : (found as JsonObject)?[(string)step];
        }
        if (found is null && !JsonMemberRemover.Has(content, path))
        {
            return true;
        }
        if (value is not null && !Is(found, value))
        {
            return false;
        }
        AtomicFile.Replace(file, JsonMemberRemover.Remove(content, path));
        return true;
    }

    private static bool Is(JsonNode? node, string text)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue<string>(out var found) && found == text;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair is another text than any that was read.
            return false;
        }
    }

    /// <summary>Editors on Windows put a byte order mark in front; JSON does not know it.</summary>
    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> content) =>
        content.Span.StartsWith("\uFEFF"u8) ? content[3..] : content;

    public static McpAuthException Corrupt(string path, JsonException e) => Corrupt(path,
        e.LineNumber is { } line && e.BytePositionInLine is { } column
            ? $"it is not valid JSON at line {line + 1}, column {column + 1}"
            : "it is not valid JSON");

    public static McpAuthException Corrupt(string path, string what) =>
        new(ErrorReason.ConfigurationCorrupt, $"Cannot use '{path}': {what}.",
            "Mend the file, or move it away to start anew. It was not changed.");
}
