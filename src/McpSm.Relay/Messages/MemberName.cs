using System.Text.Json;

namespace McpSm.Relay.Messages;

/// <summary>Compares names of members. A name may hold half a surrogate pair, which is valid JSON and cannot be read as text.</summary>
internal static class MemberName
{
    /// <summary>Whether the name of a member at which a reader is, is a given one.</summary>
    public static bool Is(this in Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan.SequenceEqual(name);
        }
        try
        {
            return reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
