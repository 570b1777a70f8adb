using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace McpSm.Relay.Messages;

/// <summary>
/// A JSON-RPC message as bytes, with the few members that a relay must know. The bytes are forwarded as they came, so that numbers, escapes
/// and unknown members stay what they were.
/// </summary>
internal sealed class Message
{
    // Skipping a value needs a bit for each level, not a stack frame.
    private const int MaxDepth = 100_000;

    private Message(ReadOnlyMemory<byte> bytes) => Bytes = bytes;

    public ReadOnlyMemory<byte> Bytes { get; }

    public MessageKind Kind { get; private set; }

    /// <summary>The JSON of the id, with the quotes of a string; empty if the message has no id that identifies it.</summary>
    public ReadOnlyMemory<byte> Id { get; private set; }

    /// <summary>The id as a key: a server may write the same string with other escapes.</summary>
    public string IdKey => field ??= KeyOf(Id);

    public string? Method { get; private set; }

    /// <summary><c>params.name</c></summary>
    public string? Name { get; private set; }

    /// <summary><c>params.uri</c></summary>
    public string? Uri { get; private set; }

    /// <summary><c>params.taskId</c></summary>
    public string? TaskId { get; private set; }

    /// <summary>The JSON of <c>params.requestId</c>: the request that <c>notifications/cancelled</c> cancels.</summary>
    public ReadOnlyMemory<byte> RequestId { get; private set; }

    /// <summary>The revision of MCP that <c>params._meta</c> names; null for a message of 2025-11-25 or before.</summary>
    public string? MetaVersion { get; private set; }

    /// <summary><c>params.protocolVersion</c> of <c>initialize</c>, or <c>result.protocolVersion</c> of its answer.</summary>
    public string? ProtocolVersion { get; private set; }

    /// <summary>Whether a response is an error.</summary>
    public bool IsError { get; private set; }

    /// <summary>The messages of a batch.</summary>
    public IReadOnlyList<Message> Members { get; private set; } = [];

    /// <summary>The requests in the message: itself, or those of a batch.</summary>
    public IEnumerable<Message> Requests => (Kind == MessageKind.Batch ? Members : [this]).Where(message => message.Kind == MessageKind.Request);

    /// <summary>Whether the message is of revision 2026-07-28 or later, which has no sessions.</summary>
    public bool IsStateless => MetaVersion is not null || Method == "server/discover" || Members.Any(member => member.IsStateless);

    /// <summary>The key of an id, which is the same for all ways to write the id.</summary>
    /// <param name="id">The JSON of the id; may be empty.</param>
    public static string KeyOf(ReadOnlyMemory<byte> id)
    {
        if (id.IsEmpty)
        {
            return "";
        }
        var reader = new Utf8JsonReader(id.Span);
        reader.Read();
        try
        {
            return reader.TokenType == JsonTokenType.String ? "\"" + reader.GetString() : KeyOfNumber(System.Text.Encoding.UTF8.GetString(id.Span));
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair is valid JSON and not valid text. Its escapes identify it as they are.
            return System.Text.Encoding.UTF8.GetString(id.Span);
        }
    }

    /// <summary>Many programs read 1.0 and write 1.</summary>
    private static string KeyOfNumber(string number) => number.AsSpan().IndexOfAny(".eE") < 0 && number != "-0"
        || !decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? number
        : (value == 0 ? 0 : value).ToString("0.############################", CultureInfo.InvariantCulture);

    /// <summary>Reads a message. One that is not JSON, not UTF-8 or not JSON-RPC is <see cref="MessageKind.Invalid"/>.</summary>
    public static Message Parse(ReadOnlyMemory<byte> bytes)
    {
        var message = new Message(bytes);
        if (!Utf8.IsValid(bytes.Span))
        {
            return message;
        }
        try
        {
            var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                message.ReadBatch(ref reader);
            }
            else if (reader.TokenType == JsonTokenType.StartObject)
            {
                message.ReadObject(ref reader);
            }
            // Anything after the value makes the line invalid.
            if (reader.Read())
            {
                message.Kind = MessageKind.Invalid;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string with half a surrogate pair.
            message.Kind = MessageKind.Invalid;
        }
        return message;
    }

    private void ReadBatch(ref Utf8JsonReader reader)
    {
        var members = new List<Message>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            members.Add(Parse(Bytes[start..(int)reader.BytesConsumed]));
        }
        Members = members;
        Kind = members.Count > 0 && members.All(member => member.Kind is not (MessageKind.Invalid or MessageKind.Batch))
            ? MessageKind.Batch
            : MessageKind.Invalid;
    }

    private void ReadObject(ref Utf8JsonReader reader)
    {
        var hasResult = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("id"u8))
            {
                Id = ReadId(ref reader);
            }
            else if (reader.Is("method"u8))
            {
                Method = ReadText(ref reader);
            }
            else if (reader.Is("params"u8))
            {
                ReadParameters(ref reader);
            }
            else if (reader.Is("result"u8))
            {
                hasResult = true;
                ReadResult(ref reader);
            }
            else
            {
                IsError |= reader.Is("error"u8);
                reader.Read();
                reader.Skip();
            }
        }
        var isAnswer = Method is null && (hasResult || IsError);
        Kind = (Method is not null, Id.IsEmpty) switch
        {
            (true, true) => MessageKind.Notification,
            (true, false) => MessageKind.Request,
            _ => isAnswer ? MessageKind.Response : MessageKind.Invalid,
        };
    }

    private void ReadParameters(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("name"u8))
            {
                Name = ReadText(ref reader);
            }
            else if (reader.Is("uri"u8))
            {
                Uri = ReadText(ref reader);
            }
            else if (reader.Is("taskId"u8))
            {
                TaskId = ReadText(ref reader);
            }
            else if (reader.Is("protocolVersion"u8))
            {
                ProtocolVersion = ReadText(ref reader);
            }
            else if (reader.Is("requestId"u8))
            {
                RequestId = ReadId(ref reader);
            }
            else if (reader.Is("_meta"u8))
            {
                MetaVersion = ReadMember(ref reader, "io.modelcontextprotocol/protocolVersion"u8);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
    }

    private void ReadResult(ref Utf8JsonReader reader) => ProtocolVersion = ReadMember(ref reader, "protocolVersion"u8);

    /// <summary>Reads an object, and gives one text of it.</summary>
    private static string? ReadMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> name)
    {
        string? found = null;
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is(name))
            {
                found = ReadText(ref reader);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
        return found;
    }

    private static string? ReadText(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return null;
        }
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair.
            return null;
        }
    }

    private ReadOnlyMemory<byte> ReadId(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType is JsonTokenType.String or JsonTokenType.Number)
        {
            return Bytes[(int)reader.TokenStartIndex..(int)reader.BytesConsumed];
        }
        reader.Skip();
        return default;
    }
}
