using System.Text.Json;

namespace McpSm.Core.Files;

/// <summary>Reads texts in the JSON of other programs.</summary>
internal static class JsonStrings
{
    /// <summary>
    /// Returns the text of a string. Null if the value is not a string, or contains an escaped half of a surrogate pair, which JSON allows and .NET
    /// cannot decode.
    /// </summary>
    public static string? TextOrNull(this JsonElement value)
    {
        try
        {
#pragma warning disable RS0030 // The one place that handles its exception.
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
#pragma warning restore RS0030
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
