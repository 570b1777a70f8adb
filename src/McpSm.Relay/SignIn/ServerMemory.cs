using System.Buffers;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>The file that remembers what a server said of itself in its last session. It contains no secret.</summary>
/// <param name="path">The file.</param>
/// <param name="url">The URL of the server: what another URL answered is not used.</param>
/// <param name="log">Receives why the file cannot be read or written; null for no log.</param>
internal sealed class ServerMemory(string path, string url, Action<string>? log)
{
    // A server chooses the size of its capabilities.
    private const int MaxBytes = 64 * 1024;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>Reads what was remembered. Content that cannot be used counts as absent: other programs can write the file.</summary>
    public RememberedServer Read()
    {
        try
        {
            if (AtomicFile.Read(path) is not { Length: <= MaxBytes } content)
            {
                return RememberedServer.Unknown;
            }
            using var json = JsonDocument.Parse(content, Strict);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("url", out var made)
                && made.ValueKind == JsonValueKind.String && made.ValueEquals(url) ? RememberedServer.From(json.RootElement) ?? RememberedServer.Unknown
                : RememberedServer.Unknown;
        }
        catch (Exception e) when (e is McpAuthException or JsonException or InvalidOperationException)
        {
            log?.Invoke($"the remembered session cannot be used: {e.Message}");
            return RememberedServer.Unknown;
        }
    }

    /// <summary>Remembers the answer to <c>initialize</c>, if it says something else than the last one. A failure is logged only.</summary>
    public void Write(Message answer)
    {
        try
        {
            if (RememberedServer.FromAnswer(answer) is { } server && server != Read() && Serialize(server) is { Length: <= MaxBytes } content)
            {
                // It must be readable again: the depth and the duplicates of a hostile answer are refused here.
                using (JsonDocument.Parse(content, Strict))
                {
                }
                AtomicFile.Replace(path, content.Span);
            }
        }
        catch (Exception e) when (e is McpAuthException or JsonException or InvalidOperationException)
        {
            log?.Invoke($"the session is not remembered: {e.Message}");
        }
    }

    private ReadOnlyMemory<byte> Serialize(RememberedServer server)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("url"u8, url);
            server.Write(writer);
            writer.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }
}
