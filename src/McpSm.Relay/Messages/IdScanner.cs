namespace McpSm.Relay.Messages;

/// <summary>
/// Finds the id of a message that is too large to be read at once, so that its sender gets an error. The id may be the last member, as the
/// TypeScript SDK writes it.
/// </summary>
internal sealed class IdScanner
{
    // Longer ids are not worth an answer.
    private const int MaxIdBytes = 256;

    private readonly List<byte> _token = [];
    private int _depth;
    private bool _inString;
    private bool _escaped;
    private bool _atKey;
    private bool _keyIsId;
    private bool _capturing;

    /// <summary>The JSON of the id; empty if none was found yet.</summary>
    public ReadOnlyMemory<byte> Id { get; private set; }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        foreach (var next in bytes)
        {
            if (_inString)
            {
                FeedString(next);
            }
            else
            {
                FeedOutsideString(next);
            }
        }
    }

    private void FeedString(byte next)
    {
        Capture(next);
        if (_escaped)
        {
            _escaped = false;
        }
        else if (next == '\\')
        {
            _escaped = true;
        }
        else if (next == '"')
        {
            _inString = false;
            if (_depth == 1 && _atKey)
            {
                _keyIsId = _token is [(byte)'"', (byte)'i', (byte)'d', (byte)'"'];
                _token.Clear();
            }
            else if (_capturing)
            {
                EndValue();
            }
        }
    }

    private void FeedOutsideString(byte next)
    {
        switch (next)
        {
            case (byte)'"':
                _inString = true;
                Capture(next);
                break;
            case (byte)'{' or (byte)'[':
                _capturing = false;
                _depth++;
                _atKey = _depth == 1 && next == '{';
                break;
            case (byte)'}' or (byte)']':
                EndValue();
                _depth--;
                break;
            case (byte)',':
                EndValue();
                _atKey = _depth == 1;
                break;
            case (byte)':' when _depth == 1 && _atKey:
                _atKey = false;
                _capturing = _keyIsId;
                _token.Clear();
                break;
            case (byte)' ' or (byte)'\t' or (byte)'\r':
                break;
            default:
                Capture(next);
                break;
        }
    }

    private void Capture(byte next)
    {
        if ((_capturing || (_depth == 1 && _atKey)) && _token.Count <= MaxIdBytes)
        {
            _token.Add(next);
        }
    }

    private void EndValue()
    {
        if (_capturing && _token.Count is > 0 and <= MaxIdBytes && _token[0] is (byte)'"' or (byte)'-' or (>= (byte)'0' and <= (byte)'9'))
        {
            Id = _token.ToArray();
        }
        _capturing = false;
        _token.Clear();
    }
}
