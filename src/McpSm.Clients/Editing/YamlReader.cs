using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace McpSm.Clients.Editing;

/// <summary>Parses YAML of one document, and keeps the position of each value.</summary>
internal sealed class YamlReader
{
    private const int MaxDepth = 128;

    private readonly string _text;
    private readonly Parser _parser;
    private readonly Dictionary<AnchorName, ConfigurationValue> _anchors = [];
    private int _depth;

    private YamlReader(string text)
    {
        _text = text;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>Returns the value of the document; null if the text has no document.</summary>
    /// <exception cref="ConfigurationSyntaxException">The text is not YAML, or has several documents.</exception>
    public static ConfigurationValue? Read(string text)
    {
        try
        {
            return new YamlReader(text).ReadStream();
        }
        catch (YamlException e)
        {
            // The message of the parser can repeat text of the file, which can be a secret.
            throw new ConfigurationSyntaxException((int)e.Start.Line, (int)e.Start.Column, "it is not valid YAML");
        }
    }

    private ConfigurationValue? ReadStream()
    {
        Next();
        var value = (ConfigurationValue?)null;
        while (Next() is not StreamEnd)
        {
            if (value is not null)
            {
                throw Wrong("it has more than one document");
            }
            Next();
            value = ReadValue();
            Next();
        }
        return value;
    }

    /// <summary>Reads the value that begins with the current event, up to its last event.</summary>
    private ConfigurationValue ReadValue()
    {
        var node = Current;
        if (++_depth > MaxDepth)
        {
            throw Wrong($"it is nested more than {MaxDepth} levels deep");
        }
        var value = node switch
        {
            MappingStart => ReadMap(),
            SequenceStart => ReadList(),
            AnchorAlias alias => ReadAlias(alias),
            _ => ReadScalar((Scalar)node),
        };
        if (node is NodeEvent { Anchor.IsEmpty: false } anchored)
        {
            // Only now, because an alias inside of the value would make it endless.
            _anchors[anchored.Anchor] = value;
        }
        _depth--;
        return value;
    }

    private ConfigurationValue ReadMap()
    {
        var map = new ConfigurationValue(ValueKind.Map, ContentStart());
        var keys = new HashSet<string>(StringComparer.Ordinal);
        map.End = map.Start;
        while (Next() is not MappingEnd)
        {
            var start = At(Current.Start);
            var scalar = Current as Scalar;
            var read = ReadValue();
            // A key that is a map or a list is not one that we look for.
            var key = scalar?.Value ?? _text[read.Start..read.End];
            if (!keys.Add(key))
            {
                throw Wrong("a key is defined twice");
            }
            Next();
            var value = ReadValue();
            map.Members.Add(new(key, start, value) { KeyEnd = read.End });
            map.End = value.End;
        }
        map.End = End('{', map);
        return map;
    }

    private ConfigurationValue ReadList()
    {
        var list = new ConfigurationValue(ValueKind.List, ContentStart());
        list.End = list.Start;
        while (Next() is not SequenceEnd)
        {
            list.Items.Add(ReadValue());
            list.End = list.Items[^1].End;
        }
        list.End = End('[', list);
        return list;
    }

    private ConfigurationValue ReadAlias(AnchorAlias alias) => _anchors.TryGetValue(alias.Value, out var target)
        ? new(ValueKind.Alias, At(alias.Start)) { End = At(alias.End), Anchor = alias.Value.Value, Target = target }
        : throw Wrong("an alias has no anchor before it");

    private ConfigurationValue ReadScalar(Scalar scalar)
    {
        var (start, end) = (At(scalar.Start), At(scalar.End));
        // The mark of a text in lines is at the line after it.
        var isBlock = scalar.Style is ScalarStyle.Literal or ScalarStyle.Folded;
        var isPlain = scalar.Style == ScalarStyle.Plain && scalar.IsPlainImplicit;
        return new(ValueKind.Scalar, start)
        {
            End = isBlock ? start + _text.AsSpan(start, end - start).TrimEnd().Length : end,
            Scalar = YamlScalar.Read(scalar.Value, isPlain),
        };
    }

    /// <summary>Returns where a collection begins, after its anchor and tag.</summary>
    private int ContentStart()
    {
        var position = At(Current.Start);
        while (Trivia.Hashes.Skip(_text, position) is { } next && next < _text.Length && _text[next] is '&' or '!')
        {
            var length = _text.AsSpan(next).IndexOfAny(" \t\r\n");
            position = length < 0 ? _text.Length : next + length;
        }
        return Trivia.Hashes.Skip(_text, position) ?? position;
    }

    /// <summary>Returns the position after a collection: the mark of its end is at the bracket, or at the next value.</summary>
    private int End(char open, ConfigurationValue collection) =>
        collection.Start < _text.Length && _text[collection.Start] == open ? At(Current.Start) + 1 : collection.End;

    /// <summary>Returns the position of a mark. Marks at the end can be behind it.</summary>
    private int At(Mark mark) => (int)Math.Min(mark.Index, _text.Length);

    private ParsingEvent Next() => _parser.MoveNext() ? Current : throw Wrong("it ends too early");

    private ParsingEvent Current => _parser.Current!;

    private ConfigurationSyntaxException Wrong(string problem) =>
        new((int)(_parser.Current?.Start.Line ?? 1), (int)(_parser.Current?.Start.Column ?? 1), problem);
}
