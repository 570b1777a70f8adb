using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>Parses JSON with comments and trailing commas, and keeps the position of each value.</summary>
/// <remarks><c>Utf8JsonReader</c> skips comments, but does not give positions of a .NET string.</remarks>
internal ref struct JsonReader
{
    private const int MaxDepth = 256;

    private readonly string _text;
    private int _at;
    private int _depth;

    private JsonReader(string text) => _text = text;

    /// <summary>Returns the value of the text; null if it has only blanks and comments.</summary>
    /// <exception cref="ConfigurationSyntaxException">The text is not JSON.</exception>
    public static ConfigurationValue? Read(string text)
    {
        var reader = new JsonReader(text);
        reader.SkipTrivia();
        if (reader._at == text.Length)
        {
            return null;
        }
        var value = reader.ReadValue();
        reader.SkipTrivia();
        return reader._at == text.Length ? value : throw reader.Wrong("there is text after the end");
    }

    private ConfigurationValue ReadValue() => Peek() switch
    {
        '{' => ReadMap(),
        '[' => ReadList(),
        '"' => ReadScalar(static (ref JsonReader r) => JsonValue.Create(r.ReadText())),
        '-' or >= '0' and <= '9' => ReadScalar(static (ref JsonReader r) => r.ReadNumber()),
        _ => ReadScalar(static (ref JsonReader r) => r.ReadWord()),
    };

    private delegate JsonNode? Scalar(ref JsonReader reader);

    private ConfigurationValue ReadScalar(Scalar read)
    {
        var start = _at;
        return new ConfigurationValue(ValueKind.Scalar, start) { Scalar = read(ref this), End = _at };
    }

    private ConfigurationValue ReadMap()
    {
        var map = new ConfigurationValue(ValueKind.Map, _at);
        Open();
        while (!Close('}', map.Members.Count > 0))
        {
            var start = _at;
            if (Peek() != '"')
            {
                throw Wrong("a name in quotation marks is expected");
            }
            var key = ReadText();
            SkipTrivia();
            Expect(':');
            SkipTrivia();
            map.Members.Add(new(key, start, ReadValue()));
        }
        map.End = _at;
        return map;
    }

    private ConfigurationValue ReadList()
    {
        var list = new ConfigurationValue(ValueKind.List, _at);
        Open();
        while (!Close(']', list.Items.Count > 0))
        {
            list.Items.Add(ReadValue());
        }
        list.End = _at;
        return list;
    }

    private void Open()
    {
        if (++_depth > MaxDepth)
        {
            throw Wrong($"it is nested more than {MaxDepth} levels deep");
        }
        _at++;
    }

    /// <summary>Reads what precedes an element: the comma after another element. Returns true at the end of the map or list.</summary>
    private bool Close(char end, bool hasElements)
    {
        SkipTrivia();
        if (hasElements && Peek() != end)
        {
            Expect(',');
            SkipTrivia();
        }
        if (Peek() != end)
        {
            return false;
        }
        _at++;
        _depth--;
        return true;
    }

    private string ReadText()
    {
        _at++;
        var start = _at;
        var result = (StringBuilder?)null;
        while (true)
        {
            var c = Peek();
            if (c == '"')
            {
                var rest = _text[start.._at++];
                return result is null ? rest : result.Append(rest).ToString();
            }
            if (c < ' ')
            {
                throw Wrong(_at == _text.Length ? "a closing quotation mark is missing" : "a text has a control character");
            }
            _at++;
            if (c == '\\')
            {
                result = (result ?? new()).Append(_text, start, _at - 1 - start).Append(ReadEscaped());
                start = _at;
            }
        }
    }

    private char ReadEscaped()
    {
        var c = Peek();
        _at++;
        return c switch
        {
            '"' or '\\' or '/' => c,
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => ReadHex(),
            _ => throw Wrong("a text has a wrong escape sequence"),
        };
    }

    private char ReadHex()
    {
        if (_at + 4 > _text.Length || !ushort.TryParse(_text.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
        {
            throw Wrong("a text has a wrong escape sequence");
        }
        _at += 4;
        return (char)code;
    }

    private JsonNode ReadNumber()
    {
        var start = _at;
        _at += Peek() == '-' ? 1 : 0;
        if (Peek() == '0')
        {
            _at++;
        }
        else
        {
            Digits();
        }
        if (Peek() == '.')
        {
            _at++;
            Digits();
        }
        if (Peek() is 'e' or 'E')
        {
            _at++;
            _at += Peek() is '+' or '-' ? 1 : 0;
            Digits();
        }
        return JsonNode.Parse(_text[start.._at])!;
    }

    private void Digits()
    {
        if (!char.IsAsciiDigit(Peek()))
        {
            throw Wrong("a digit is expected");
        }
        while (char.IsAsciiDigit(Peek()))
        {
            _at++;
        }
    }

    private JsonNode? ReadWord()
    {
        foreach (var (word, value) in new[] { ("true", (bool?)true), ("false", false), ("null", null) })
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) == 0)
            {
                _at += word.Length;
                return value is { } boolean ? JsonValue.Create(boolean) : null;
            }
        }
        throw Wrong("a value is expected");
    }

    private void SkipTrivia() => _at = Trivia.Slashes.Skip(_text, _at) is { } end ? end : throw Wrong("a comment does not end");

    private void Expect(char c)
    {
        if (Peek() != c)
        {
            throw Wrong(c == ',' ? "a comma is expected" : "a colon is expected");
        }
        _at++;
    }

    /// <summary>Returns the next character, and NUL at the end of the text.</summary>
    private readonly char Peek() => _at < _text.Length ? _text[_at] : '\0';

    private readonly ConfigurationSyntaxException Wrong(string problem)
    {
        var at = Math.Min(_at, _text.Length);
        return new(TextLines.Number(_text, at), TextLines.Column(_text, at), problem);
    }
}
