using System.Text.Json.Nodes;
using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace McpSm.Clients.Editing;

/// <summary>Parses TOML, and keeps the position of each part.</summary>
internal sealed class TomlReader
{
    private readonly string _text;
    private readonly ConfigurationValue _root = new(ValueKind.Map, 0);
    private readonly List<TomlPart> _parts = [];
    private readonly Dictionary<ConfigurationValue, TomlDefinition> _definitions = [];

    private TomlReader(string text) => _text = text;

    /// <summary>Returns the value of the document, and its parts in the order of the text.</summary>
    /// <exception cref="ConfigurationSyntaxException">The text is not TOML.</exception>
    public static (ConfigurationValue Root, IReadOnlyList<TomlPart> Parts) Read(string text)
    {
        var reader = new TomlReader(text);
        reader.ReadDocument(Parse(text));
        reader._root.End = text.Length;
        return (reader._root, reader._parts);
    }

    private static DocumentSyntax Parse(string text)
    {
        DocumentSyntax document;
        try
        {
            // The validation of the parser refuses a table of an element that the element before it has under a header.
            document = SyntaxParser.Parse(text, validate: false);
        }
        catch (TomlException)
        {
            // The parser reports all other problems as diagnostics.
            throw new ConfigurationSyntaxException(1, 1, "it is nested too deeply");
        }
        if (document.Diagnostics.FirstOrDefault(d => d.Kind == DiagnosticMessageKind.Error) is { } problem)
        {
            // The message of the parser repeats text of the file, which can be a secret.
            throw new ConfigurationSyntaxException(problem.Span.Start.Line + 1, problem.Span.Start.Column + 1, "it is not valid TOML");
        }
        return document;
    }

    private void ReadDocument(DocumentSyntax document)
    {
        ReadPairs(document.KeyValues, _root, TomlPath.Root, null);
        foreach (var table in document.Tables)
        {
            var start = table.Name!.Span.Offset;
            var (map, path) = Enter([.. Keys(table.Name)], start, table is TableArraySyntax);
            var part = new TomlPart(TomlPartKind.Table, path, TextLines.Start(_text, start), map, null) { End = TextLines.Next(_text, start) };
            _parts.Add(part);
            ReadPairs(table.Items, map, path, part);
            map.End = part.End;
        }
    }

    /// <summary>Finds or makes the table of a header.</summary>
    private (ConfigurationValue Map, TomlPath Path) Enter(string[] keys, int start, bool isArray)
    {
        var (map, path) = (_root, TomlPath.Root);
        foreach (var key in keys[..^1])
        {
            (map, path) = EnterKey(map, path, (key, start), TomlDefinition.Implicit);
        }
        var name = keys[^1];
        var present = map.Find(name)?.Value;
        if (!isArray)
        {
            present ??= Define(map, (name, start), ValueKind.Map, TomlDefinition.Implicit);
            Require(_definitions[present] == TomlDefinition.Implicit, start);
            _definitions[present] = TomlDefinition.Header;
            return (present, path.Add(name));
        }
        present ??= Define(map, (name, start), ValueKind.List, TomlDefinition.TableArray);
        Require(_definitions[present] == TomlDefinition.TableArray, start);
        var element = new ConfigurationValue(ValueKind.Map, start);
        _definitions[element] = TomlDefinition.Header;
        present.Items.Add(element);
        return (element, path.Add(name).Add(present.Items.Count - 1));
    }

    /// <summary>Finds or makes a table on the way to another one.</summary>
    private (ConfigurationValue Map, TomlPath Path) EnterKey(ConfigurationValue map, TomlPath path, (string Name, int Start) key, TomlDefinition by)
    {
        var value = map.Find(key.Name)?.Value ?? Define(map, key, ValueKind.Map, by);
        // A header may lead through all tables that are not closed, a key with dots only through tables of such keys.
        Require(by == TomlDefinition.Dotted ? _definitions[value] == by : _definitions[value] != TomlDefinition.Closed, key.Start);
        // A header under an array of tables belongs to the last table.
        return value.Kind == ValueKind.List ? (value.Items[^1], path.Add(key.Name).Add(value.Items.Count - 1)) : (value, path.Add(key.Name));
    }

    private ConfigurationValue Define(ConfigurationValue map, (string Name, int Start) key, ValueKind kind, TomlDefinition by)
    {
        var value = new ConfigurationValue(kind, key.Start);
        _definitions[value] = by;
        map.Members.Add(new(key.Name, key.Start, value));
        return value;
    }

    private void Require(bool isAllowed, int position)
    {
        if (!isAllowed)
        {
            throw new ConfigurationSyntaxException(TextLines.Number(_text, position), TextLines.Column(_text, position), "a key is defined twice");
        }
    }

    private void ReadPairs(IEnumerable<KeyValueSyntax> pairs, ConfigurationValue map, TomlPath path, TomlPart? parent)
    {
        foreach (var pair in pairs)
        {
            var part = ReadPair(pair, map, path, new(TomlPartKind.Pair, path, TextLines.Start(_text, pair.Key!.Span.Offset), map, parent));
            part.End = TextLines.Next(_text, part.Value.End);
            parent?.End = part.End;
        }
    }

    /// <summary>Reads a pair into a map. Its key may have dots.</summary>
    private TomlPart ReadPair(KeyValueSyntax pair, ConfigurationValue map, TomlPath path, TomlPart like)
    {
        var start = pair.Key!.Span.Offset;
        var keys = Keys(pair.Key).ToList();
        foreach (var key in keys[..^1])
        {
            (map, path) = EnterKey(map, path, (key, start), TomlDefinition.Dotted);
        }
        Require(map.Find(keys[^1]) is null, start);
        var value = NewValue(pair.Value!);
        _definitions[value] = TomlDefinition.Closed;
        var part = like with { Path = path.Add(keys[^1]), Value = value, End = value.End };
        _parts.Add(part);
        map.Members.Add(new(keys[^1], start, value));
        ReadElements(pair.Value!, part);
        return part;
    }

    private void ReadElements(ValueSyntax syntax, TomlPart part)
    {
        if (syntax is InlineTableSyntax table)
        {
            foreach (var item in table.Items)
            {
                var start = item.KeyValue!.Key!.Span.Offset;
                ReadPair(item.KeyValue, part.Value, part.Path, new(TomlPartKind.Element, part.Path, start, part.Value, part));
            }
        }
        else if (syntax is ArraySyntax array)
        {
            foreach (var item in array.Items)
            {
                var value = NewValue(item.Value!);
                var element = new TomlPart(TomlPartKind.Element, part.Path.Add(part.Value.Items.Count), value.Start, value, part) { End = value.End };
                _parts.Add(element);
                part.Value.Items.Add(value);
                ReadElements(item.Value!, element);
            }
        }
    }

    private ConfigurationValue NewValue(ValueSyntax syntax)
    {
        var (start, end) = (syntax.Span.Offset, syntax.Span.Offset + syntax.Span.Length);
        return syntax switch
        {
            InlineTableSyntax => new(ValueKind.Map, start) { End = end },
            ArraySyntax => new(ValueKind.List, start) { End = end },
            _ => new(ValueKind.Scalar, start) { End = end, Scalar = Scalar(syntax, _text[start..end]) },
        };
    }

    /// <summary>Returns a scalar. Dates, and numbers that JSON does not have, are their text.</summary>
    private static JsonValue Scalar(ValueSyntax syntax, string text) => syntax switch
    {
        StringValueSyntax value => JsonValue.Create(value.Value ?? ""),
        IntegerValueSyntax value => JsonValue.Create(value.Value),
        BooleanValueSyntax value => JsonValue.Create(value.Value),
        FloatValueSyntax value when double.IsFinite(value.Value) => JsonValue.Create(value.Value),
        _ => JsonValue.Create(text),
    };

    private static IEnumerable<string> Keys(KeySyntax key) => key.DotKeys.Select(d => Key(d.Key!)).Prepend(Key(key.Key!));

    private static string Key(BareKeyOrStringValueSyntax key) => key is StringValueSyntax text ? text.Value ?? "" : ((BareKeySyntax)key).Key!.Text!;
}
