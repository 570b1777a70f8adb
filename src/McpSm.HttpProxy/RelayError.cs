using System.Text.Json;

namespace McpSm.HttpProxy;

/// <summary>Reads the errors that the relay makes in place of the server.</summary>
internal static class RelayError
{
    /// <summary>Returns the code of an error of the relay; null for an error of the server.</summary>
    public static int? ReadCode(ReadOnlyMemory<byte> answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            return json.RootElement.TryGetProperty("error"u8, out var error) && error.TryGetProperty("data"u8, out var data)
                && data.ValueKind == JsonValueKind.Object && data.TryGetProperty("source"u8, out var source) && source.ValueEquals("mcpsm"u8)
                && error.TryGetProperty("code"u8, out var code) && code.TryGetInt32(out var number) ? number : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // An error of the server that is too deep or has another form passes as it is.
            return null;
        }
    }
}
