using System.Text.Json;

namespace McpSm.Core.Files;

/// <summary>Removes a member from JSON text and keeps every other byte, so that the format of the user's file stays.</summary>
internal static class JsonMemberRemover
{
    public static bool Has(ReadOnlyMemory<byte> json, object[] path) => Find(json, path) is not null;

    /// <summary>Returns the text without the member, its comma and the white space before it.</summary>
    public static byte[] Remove(ReadOnlyMemory<byte> json, object[] path) => Find(json, path) is not var (start, end) ? json.ToArray()
        : [.. json.Span[..start], .. json.Span[end..]];

    private static (int Start, int End)? Find(ReadOnlyMemory<byte> json, object[] path)
    {
        var text = JsonFile.WithoutMark(json).Span;
        var mark = json.Length - text.Length;
        var reader = new Utf8JsonReader(text);
        reader.Read();
        foreach (var step in path[..^1])
        {
            if (!(step is int index ? GoTo(ref reader, index) : GoTo(ref reader, (string)step, out _, out _)))
            {
                return null;
            }
        }
        if (!GoTo(ref reader, (string)path[^1], out var before, out var name))
        {
            return null;
        }
        reader.Skip();
        var after = (int)reader.BytesConsumed;
        reader.Read();
        var next = (int)reader.TokenStartIndex;
        // After another member, remove from the end of that member. As the first of several, remove up to the next. As the only one, remove
        // everything between the braces.
        return before.IsMember ? (mark + before.End, mark + after)
            : reader.TokenType == JsonTokenType.PropertyName ? (mark + name, mark + next) : (mark + before.End, mark + next);
    }

    /// <summary>Moves from the start of an object to the value of a member.</summary>
    private static bool GoTo(ref Utf8JsonReader reader, string member, out (bool IsMember, int End) before, out int name)
    {
        before = (false, (int)reader.BytesConsumed);
        name = 0;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            name = (int)reader.TokenStartIndex;
            var found = reader.ValueTextEquals(member);
            reader.Read();
            if (found)
            {
                return true;
            }
            reader.Skip();
            before = (true, (int)reader.BytesConsumed);
        }
        return false;
    }

    /// <summary>Moves from the start of an array to an element.</summary>
    private static bool GoTo(ref Utf8JsonReader reader, int index)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (index-- == 0)
            {
                return true;
            }
            reader.Skip();
        }
        return false;
    }
}
