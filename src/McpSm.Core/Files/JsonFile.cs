using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using McpSm.Core.Errors;

namespace McpSm.Core.Files;

/// <summary>Reads and writes JSON files that people and other programs also edit. Reads are strict; writes are atomic.</summary>
internal static class JsonFile
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    // The format of JSON.stringify(value, null, 2): the npm tool shares config.json, and a diff should show only the change. Created on demand,
    // because its encoder costs 4 ms at startup.
    private static JsonWriterOptions WriterOptions => new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Returns the root object of the file; null if the file does not exist. An empty file is corrupt.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column; the file is unchanged.</exception>
    public static JsonObject? Read(string path) => Open(path) is { } document ? JsonObject.Create(document.RootElement) : null;

    /// <summary>
    /// Returns the root object of the file for a change; null if the file does not exist. Also rejects content that could not be written back
    /// unchanged.
    /// </summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt; the file is unchanged.</exception>
    public static JsonObject? ReadToChange(string path) => OpenToChange(path) is { } document ? JsonObject.Create(document.RootElement) : null;

    /// <summary>Does the same as <see cref="ReadToChange"/>, for a caller that first inspects the document.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt; the file is unchanged.</exception>
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

    /// <summary>Opens the file read-only; its root is an object. Takes a tenth of the time of <see cref="Read"/>.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column; the file is unchanged.</exception>
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
            throw Corrupt(path, "it contains a name that is not valid Unicode");
        }
    }

    /// <summary>
    /// Checks that the content is UTF-8 (RFC 8259 section 8.1). The parser does not check strings and names, and would fail later when one of them is
    /// used.
    /// </summary>
    /// <param name="path">The path of the file, for the error.</param>
    /// <param name="content">The content of the file.</param>
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

    /// <summary>Rejects escaped unpaired surrogates, which can be parsed but not written.</summary>
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
            throw Corrupt(path, "it contains a string that is not valid Unicode");
        }
    }

    /// <summary>Replaces the file.</summary>
    public static void Write(string path, JsonObject root)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, WriterOptions))
        {
            root.WriteTo(writer);
        }
        AtomicFile.Replace(path, stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>Removes a member of an object and keeps every other byte of the file.</summary>
    /// <param name="file">The path of the file.</param>
    /// <param name="path">The names and array indexes that lead from the root to the member.</param>
    /// <param name="value">The expected text of the member; null for any value.</param>
    /// <returns>Whether the member no longer exists; false if it has another value.</returns>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable; the file is unchanged.</exception>
    public static bool RemoveMember(string file, object[] path, string? value)
    {
        if (AtomicFile.Read(file) is not { } content)
        {
            return true;
        }
        JsonNode? node = JsonObject.Create(Parse(file, content).RootElement);
        foreach (var step in path)
        {
            node = step is int index ? node is JsonArray array && index < array.Count ? array[index] : null : (node as JsonObject)?[(string)step];
        }
        if (node is null && !JsonMemberRemover.Has(content, path))
        {
            return true;
        }
        if (value is not null && !Is(node, value))
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
            return node is JsonValue value && value.TryGetValue<string>(out var actual) && actual == text;
        }
        catch (InvalidOperationException)
        {
            // An unpaired surrogate differs from every valid text.
            return false;
        }
    }

    /// <summary>Removes a byte order mark, which editors on Windows add and JSON does not allow.</summary>
    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> content) =>
        content.Span.StartsWith("\uFEFF"u8) ? content[3..] : content;

    public static McpAuthException Corrupt(string path, JsonException e) => Corrupt(path,
        e.LineNumber is { } line && e.BytePositionInLine is { } column
            ? $"it is not valid JSON at line {line + 1}, column {column + 1}"
            : "it is not valid JSON");

    public static McpAuthException Corrupt(string path, string problem) =>
        new(ErrorReason.ConfigurationCorrupt, $"Cannot use '{path}': {problem}.",
            "Fix the file, or move it away to start over. It was not changed.");
}
