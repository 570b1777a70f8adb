using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>TOML. The parts of one value can be spread over the text: tables, pairs with dotted keys, inline tables.</summary>
internal sealed class TomlConfigurationText : ConfigurationText
{
    private readonly IReadOnlyList<TomlPart> _parts;

    private TomlConfigurationText(string text, (ConfigurationValue Root, IReadOnlyList<TomlPart> Parts) document) : base(text, document.Root) =>
        _parts = document.Parts;

    /// <summary>Parses a text.</summary>
    /// <exception cref="ConfigurationSyntaxException">The text is not TOML.</exception>
    public static TomlConfigurationText Parse(string text) => new(text, TomlReader.Read(text));

    protected override ConfigurationFormat Format => ConfigurationFormat.Toml;

    public override bool IsBare => string.IsNullOrWhiteSpace(Text);

    protected override bool IsEmpty(ConfigurationValue value) =>
        value.Kind is ValueKind.Map or ValueKind.List && value.Members.Count == 0 && value.Items.Count == 0;

    protected override IEnumerable<Splice> Add(ServerContainer container, string name, JsonObject value) =>
        Insert(PathOf(container), container.Shape == ContainerShape.Map ? name : null, value);

    protected override string Replace(ServerContainer container, string name, JsonObject value)
    {
        var current = this;
        while (current.Difference(current.PathOf(container, name), current.Entries(container).Last(e => e.Key == name).Value, value) is { } splices)
        {
            current = Parse(TextEdit.Apply(current.Text, splices).Text);
        }
        return current.Text;
    }

    protected override string Without(ServerContainer container, string name)
    {
        var current = this;
        while (current.Entries(container).Any(e => e.Key == name))
        {
            current = Parse(TextEdit.Apply(current.Text, current.Delete(current.PathOf(container, name))).Text);
        }
        return current.Text;
    }

    private static TomlPath PathOf(ServerContainer container) => new(container.Path);

    private TomlPath PathOf(ServerContainer container, string name) => container.Shape == ContainerShape.Map ? PathOf(container).Add(name)
        : PathOf(container).Add(Find(container)!.Items.IndexOf(Entries(container).Last(e => e.Key == name).Value));

    /// <summary>Returns the splices of the first difference, so that equal members keep their layout and comments; null if the values are equal.</summary>
    private IEnumerable<Splice>? Difference(TomlPath path, ConfigurationValue old, JsonNode? value)
    {
        if (old.Kind != ValueKind.Map || value is not JsonObject map)
        {
            return JsonNode.DeepEquals(ConfigurationNodes.Convert(old), value) ? null : Exchange(path, value);
        }
        foreach (var (key, member) in map)
        {
            var difference = old.Find(key) is { } present ? Difference(path.Add(key), present.Value, member) : Insert(path, key, member);
            if (difference is not null)
            {
                return difference;
            }
        }
        return old.Members.Find(m => !map.ContainsKey(m.Key)) is { } obsolete ? Delete(path.Add(obsolete.Key)) : null;
    }

    /// <summary>Puts a value in the place of another. A value that is spread over the text is removed, and the next difference adds the new one.</summary>
    private IEnumerable<Splice> Exchange(TomlPath path, JsonNode? value) =>
        _parts.FirstOrDefault(p => p.Kind != TomlPartKind.Table && p.Path.Is(path)) is { } part
            ? [Splice.Replace(part.Value.Start, part.Value.End, TomlStyle.Value(value))]
            : Delete(path);

    /// <summary>Adds a member to a map, or an element to a list if the key is null. Map and list are made if they do not exist.</summary>
    private IEnumerable<Splice> Insert(TomlPath path, string? key, JsonNode? value)
    {
        if (_parts.LastOrDefault(p => p.Kind != TomlPartKind.Table && path.StartsWith(p.Path)) is { } inline)
        {
            return InsertInline(inline, path.After(inline.Path), key, value);
        }
        if (key is null)
        {
            return InsertTable(path, TomlStyle.Table(path, true, (JsonObject)value!, NewLine));
        }
        var dotted = _parts.LastOrDefault(p => p.Kind == TomlPartKind.Pair && p.Path.StartsWith(path) && (p.Parent?.Path.Length ?? 0) < path.Length);
        if (dotted is not null)
        {
            var keys = path.Add(key).After(dotted.Parent?.Path ?? TomlPath.Root).Keys;
            return InsertLine(dotted.End, TextLines.Indent(Text, dotted.Start), TomlStyle.Pair(keys, value));
        }
        if (TomlStyle.IsTable(value))
        {
            return InsertTable(path, TomlStyle.Table(path.Add(key), false, (JsonObject)value!, NewLine));
        }
        if (_parts.LastOrDefault(p => p.Kind == TomlPartKind.Table && p.Path.Is(path)) is not { } table)
        {
            return InsertTable(path, TomlStyle.Table(path, false, new JsonObject { [key] = value?.DeepClone() }, NewLine));
        }
        var last = _parts.LastOrDefault(p => p.Parent == table);
        return InsertLine(table.End, TextLines.Indent(Text, (last ?? table).Start), TomlStyle.Pair([key], value));
    }

    private IEnumerable<Splice> InsertInline(TomlPart part, TomlPath rest, string? key, JsonNode? value)
    {
        var keys = key is null ? rest.Keys : rest.Add(key).Keys;
        var isElement = key is null && rest.Length == 0;
        var element = isElement ? TomlStyle.Value(value) : TomlStyle.Pair(keys, key is null ? new JsonArray(value?.DeepClone()) : value);
        if (_parts.LastOrDefault(p => p.Parent == part) is { } last)
        {
            return Brackets.AppendAfter((last.Start, last.End), NewLine, ", ", element);
        }
        var (open, close) = (part.Value.Start + 1, part.Value.End - 1);
        var pad = part.Value.Kind == ValueKind.Map ? " " : "";
        return Trivia.Hashes.LastComment(Text, open, close) is { } comment
            ? [Splice.Insert(comment.End, NewLine + element)]
            : [Splice.Replace(open, close, pad + element + pad)];
    }

    /// <summary>Inserts a table after the tables of its container, or at the end.</summary>
    private IEnumerable<Splice> InsertTable(TomlPath container, string table)
    {
        var at = _parts.LastOrDefault(p => p.Kind == TomlPartKind.Table && p.Path.StartsWith(container))?.End ?? Text.Length;
        if (string.IsNullOrWhiteSpace(Text[..at]))
        {
            return [Splice.Insert(at, table)];
        }
        if (Text[at - 1] != '\n')
        {
            return [Splice.Insert(at, NewLine + NewLine + table[..^NewLine.Length])];
        }
        var isAfterBlankLine = TextLines.IsBlank(Text, TextLines.Start(Text, at - 1), at - 1);
        return [Splice.Insert(at, isAfterBlankLine ? table : NewLine + table)];
    }

    private IEnumerable<Splice> InsertLine(int at, string indent, string line) =>
        [Splice.Insert(at, Text[at - 1] == '\n' ? indent + line + NewLine : NewLine + indent + line)];

    /// <summary>Removes what defines a value: tables and pairs, else one element in brackets.</summary>
    private IEnumerable<Splice> Delete(TomlPath path)
    {
        var parts = _parts.Where(p => p.Path.StartsWith(path)).ToList();
        var tables = parts.Where(p => p.Kind == TomlPartKind.Table).ToList();
        var pairs = parts.Where(p => p.Kind == TomlPartKind.Pair && (p.Parent is null || !tables.Contains(p.Parent))).ToList();
        if (tables.Count + pairs.Count > 0)
        {
            return DeleteLines(tables.Select(LinesOf).Concat(pairs.Select(p => (p.Start, p.End))));
        }
        var element = parts.First(p => p.Kind == TomlPartKind.Element);
        var siblings = _parts.Where(p => p.Parent == element.Parent).ToList();
        return Brackets.Delete(element.Parent!.Value, [.. siblings.Select(p => (p.Start, p.End))], siblings.IndexOf(element));
    }

    /// <summary>Returns the lines of a table with the blank line before it, or after it at the start of the text.</summary>
    private (int Start, int End) LinesOf(TomlPart table)
    {
        var (start, end) = (table.Start, table.End);
        if (start == 0)
        {
            var isBlankLine = end < Text.Length && TextLines.IsBlank(Text, end, TextLines.End(Text, end));
            return (start, isBlankLine ? TextLines.Next(Text, end) : end);
        }
        var before = TextLines.Start(Text, start - 1);
        return (TextLines.IsBlank(Text, before, start - 1) ? before : start, end);
    }

    /// <summary>Removes lines. If the last line of the text has no line end, the new last line has none either.</summary>
    private IEnumerable<Splice> DeleteLines(IEnumerable<(int Start, int End)> lines)
    {
        var merged = new Stack<(int Start, int End)>();
        foreach (var (start, end) in lines.Order())
        {
            merged.Push(merged.TryPeek(out var last) && last.End >= start ? (merged.Pop().Start, Math.Max(last.End, end)) : (start, end));
        }
        return merged.Select(m =>
        {
            var isOpenEnd = m.End == Text.Length && Text[m.End - 1] != '\n' && m.Start > 0;
            return Splice.Delete(isOpenEnd ? TextLines.End(Text, m.Start - 1) : m.Start, m.End);
        });
    }

    private string NewLine => TextLines.NewLine(Text, Text.Length);

    private BracketedText Brackets => new(Text, Trivia.Hashes);
}
