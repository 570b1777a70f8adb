namespace McpSm.Relay.Messages;

/// <summary>Reads lines of bytes. A line that is too long is skipped, and costs no more memory than the limit.</summary>
/// <param name="input">The stream to read.</param>
/// <param name="limit">The longest line, in bytes.</param>
internal sealed class LineReader(Stream input, int limit)
{
    private const int InitialSize = 16 * 1024;

    private byte[] _buffer = new byte[InitialSize];
    private int _start;
    private int _end;

    /// <returns>The next line; null at the end of the input. A last line without an end counts.</returns>
    /// <exception cref="IOException">The input cannot be read.</exception>
    public async ValueTask<Line?> ReadAsync(CancellationToken cancellationToken)
    {
        IdScanner? scanner = null;
        var searched = _start;
        while (true)
        {
            var at = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                return Take(searched + at, searched + at + 1, scanner);
            }
            if (_end - _start > limit)
            {
                scanner ??= new IdScanner();
            }
            if (scanner is not null)
            {
                scanner.Feed(_buffer.AsSpan(_start, _end - _start));
                _start = _end = 0;
            }
            searched = MakeRoom();
            var read = await input.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return _end > _start || scanner is not null ? Take(_end, _end, scanner) : null;
            }
            _end += read;
        }
    }

    private Line Take(int end, int next, IdScanner? scanner)
    {
        var bytes = _buffer.AsSpan(_start, end - _start);
        var isTooLong = scanner is not null || bytes.Length > limit;
        if (isTooLong)
        {
            scanner ??= new IdScanner();
            scanner.Feed(bytes);
        }
        // A large message takes the buffer with it, which is not used again.
        var length = bytes.TrimEnd((byte)'\r').Length;
        var line = isTooLong ? new Line(default, true, scanner!.Id)
            : next == _end && _buffer.Length > InitialSize ? new Line(_buffer.AsMemory(_start, length)) : new Line(_buffer.AsSpan(_start, length).ToArray());
        _start = next;
        if (_start == _end)
        {
            _start = _end = 0;
            if (_buffer.Length > InitialSize)
            {
                // One large message must not hold its memory for as long as the relay runs.
                _buffer = new byte[InitialSize];
            }
        }
        return line;
    }

    /// <returns>The position up to which the buffer was searched.</returns>
    private int MakeRoom()
    {
        if (_end < _buffer.Length)
        {
            return _end;
        }
        var length = _end - _start;
        var target = length * 2 > _buffer.Length ? new byte[_buffer.Length * 2] : _buffer;
        _buffer.AsSpan(_start, length).CopyTo(target);
        (_buffer, _start, _end) = (target, 0, length);
        return _end;
    }
}
