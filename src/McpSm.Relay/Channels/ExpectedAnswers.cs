using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>The answers that a stream must bring before it may end.</summary>
internal sealed class ExpectedAnswers
{
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _ids = new(StringComparer.Ordinal);
    private readonly bool _isEndless;

    private ExpectedAnswers(bool isEndless) => _isEndless = isEndless;

    /// <param name="message">A request, or a batch with requests.</param>
    public ExpectedAnswers(Message message)
    {
        foreach (var request in message.Requests)
        {
            _ids[request.IdKey] = request.Id;
        }
    }

    /// <summary>A stream of the server that answers no request.</summary>
    public static ExpectedAnswers None { get; } = new(isEndless: true);

    public bool IsComplete => _ids.Count == 0 && !_isEndless;

    /// <summary>The keys of the ids that are not answered.</summary>
    public IReadOnlySet<string> Missing => _ids.Keys.ToHashSet(StringComparer.Ordinal);

    /// <summary>Counts an answer.</summary>
    /// <returns>The answer. An error without an id gets the id of the request, if the stream has one request only.</returns>
    public Message Take(Message answer)
    {
        if (answer.Kind != MessageKind.Response || _ids.Remove(answer.IdKey) || !answer.IsError || !answer.Id.IsEmpty || _ids.Count != 1)
        {
            return answer;
        }
        var id = _ids.Values.Single();
        _ids.Clear();
        return Message.Parse(ResponseId.Set(answer, id));
    }
}
