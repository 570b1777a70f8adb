using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>JSON, with comments and trailing commas.</summary>
internal sealed class JsonConfigurationText(string text, ConfigurationValue? root) : TreeText(text, root)
{
    protected override ConfigurationFormat Format => ConfigurationFormat.Json;

    public override bool IsBare => Root is null ? string.IsNullOrWhiteSpace(Text)
        : IsEmpty(Root) && string.IsNullOrWhiteSpace(Text[..Root.Start]) && string.IsNullOrWhiteSpace(Text[Root.End..]);

    protected override bool IsEmpty(ConfigurationValue value) =>
        value.Kind is ValueKind.Map or ValueKind.List && string.IsNullOrWhiteSpace(Text[(value.Start + 1)..(value.End - 1)]);

    protected override IEnumerable<Splice> Begin(JsonNode value)
    {
        var newLine = TextLines.NewLine(Text, Text.Length);
        var before = TextLines.IsBlank(Text, TextLines.Start(Text, Text.Length), Text.Length) ? "" : newLine;
        return [Splice.Insert(Text.Length, before + new JsonStyle(newLine, "  ", false, false, "").Value(value, "", false) + newLine)];
    }

    protected override IEnumerable<Splice> Exchange(ConfigurationValue old, JsonNode? value)
    {
        var spreadsLists = Text.AsSpan(old.Start, old.End - old.Start).Contains('\n');
        var style = StyleAt(old, !spreadsLists && !StartsLine(old));
        return [Splice.Replace(old.Start, old.End, style.Value(value, TextLines.Indent(Text, old.Start), spreadsLists))];
    }

    protected override IEnumerable<Splice> Append(ConfigurationValue collection, string? key, JsonNode? value) =>
        Elements(collection) is { Count: > 0 } elements ? AppendAfter(elements[^1], collection, key, value) : AppendFirst(collection, key, value);

    private IEnumerable<Splice> AppendAfter((int Start, int End) last, ConfigurationValue collection, string? key, JsonNode? value)
    {
        var style = StyleAt(collection, !TextLines.IsFirst(Text, last.Start));
        return Brackets.AppendAfter(last, style.NewLine, style.Separator, style.Element(key, value, TextLines.Indent(Text, last.Start)));
    }

    private List<Splice> AppendFirst(ConfigurationValue collection, string? key, JsonNode? value)
    {
        var (open, close) = (collection.Start + 1, collection.End - 1);
        var isOnOneLine = !Text.AsSpan(open, close - open).Contains('\n') && collection != Root && !StartsLine(collection);
        var style = StyleAt(collection, isOnOneLine);
        var indent = TextLines.Indent(Text, collection.Start);
        var comment = Trivia.Slashes.LastComment(Text, open, close);
        if (isOnOneLine)
        {
            var element = style.Element(key, value, indent);
            return [comment is { } inner ? Splice.Insert(inner.End, " " + element) : Splice.Replace(open, close, style.Padding + element + style.Padding)];
        }
        if (comment is { } last && Text.AsSpan(last.End, close - last.End).Contains('\n'))
        {
            var deeper = TextLines.IsFirst(Text, last.Start) ? TextLines.Indent(Text, last.Start) : indent + style.Unit;
            return [Splice.Insert(last.End, style.NewLine + deeper + style.Element(key, value, deeper))];
        }
        var lines = $"{style.NewLine}{indent}{style.Unit}{style.Element(key, value, indent + style.Unit)}{style.NewLine}{indent}";
        return [Splice.Replace(comment?.End ?? open, close, lines)];
    }

    protected override IEnumerable<Splice> Delete(ConfigurationValue collection, int index) => Brackets.Delete(collection, Elements(collection), index);

    private BracketedText Brackets => new(Text, Trivia.Slashes);

    /// <summary>Whether the value is the first element of its line, or belongs to a key that is.</summary>
    private bool StartsLine(ConfigurationValue value) => OwnerOf(value) is not { } owner || TextLines.IsFirst(Text, owner.Start);

    private JsonStyle StyleAt(ConfigurationValue place, bool isOnOneLine)
    {
        var member = place.Members.LastOrDefault() ?? Maps(Root!).Select(m => m.Members.FirstOrDefault()).FirstOrDefault(m => m is not null);
        var isPadded = Maps(Root!).Where(m => m.Members.Count > 0).Select(m => Text[m.Start + 1]).FirstOrDefault(c => c is not ('\r' or '\n')) is ' ' or '\t';
        var isCompact = member is not null && Text[member.Value.Start - 1] == ':';
        return new(TextLines.NewLine(Text, place.End), Unit(place), isCompact, isOnOneLine, isPadded ? " " : "");
    }

    /// <summary>Returns the indentation of one level, as near to the place as possible.</summary>
    private string Unit(ConfigurationValue place) => Maps(place).Concat(Maps(Root!)).Select(UnitOf).FirstOrDefault(u => u is not null) ?? "  ";

    private string? UnitOf(ConfigurationValue collection)
    {
        if (Elements(collection) is not [var first, ..] || !TextLines.IsFirst(Text, first.Start))
        {
            return null;
        }
        var (outer, inner) = (TextLines.Indent(Text, collection.Start), TextLines.Indent(Text, first.Start));
        return inner.Length > outer.Length && inner.StartsWith(outer, StringComparison.Ordinal) ? inner[outer.Length..] : null;
    }

    private static IEnumerable<ConfigurationValue> Maps(ConfigurationValue value) =>
        value.Members.Select(m => m.Value).Concat(value.Items).SelectMany(Maps).Prepend(value);
}
