using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>YAML, in the block style with indentation and in the flow style with brackets.</summary>
internal sealed class YamlConfigurationText(string text, ConfigurationValue? root) : TreeText(text, root)
{
    protected override ConfigurationFormat Format => ConfigurationFormat.Yaml;

    public override bool IsBare => string.IsNullOrWhiteSpace(Text);

    protected override bool IsEmpty(ConfigurationValue value) => value.IsNull
        || (IsFlow(value) && string.IsNullOrWhiteSpace(Text[(value.Start + 1)..(value.End - 1)]));

    protected override IEnumerable<Splice> Begin(JsonNode value)
    {
        var lines = value is JsonObject map ? Style.Members(map, "") : Style.Items((JsonArray)value, "");
        return Text.Length == 0 || Text[^1] == '\n'
            ? [Splice.Insert(Text.Length, lines[Style.NewLine.Length..] + Style.NewLine)]
            : [Splice.Insert(Text.Length, lines)];
    }

    protected override IEnumerable<Splice> Exchange(ConfigurationValue old, JsonNode? value)
    {
        var owner = OwnerOf(old);
        if (owner is null)
        {
            return ExchangeRoot(old, (JsonObject)value!);
        }
        if (IsInFlow(old) || owner.KeyEnd == 0)
        {
            return [Splice.Replace(old.Start, old.End, YamlStyle.Flow(value))];
        }
        var colon = Text.IndexOf(':', owner.KeyEnd);
        var written = IsFlow(old) && old.Members.Count + old.Items.Count > 0 ? " " + YamlStyle.Flow(value) : Style.AfterKey(value, IndentAt(owner.Start));
        var isOnLineOfKey = TextLines.Start(Text, old.Start) == TextLines.Start(Text, colon);
        return isOnLineOfKey && written.StartsWith(Style.NewLine, StringComparison.Ordinal)
            ? ToLines(colon + 1, old.End, written)
            : [Splice.Replace(colon + 1, old.End, written)];
    }

    /// <summary>Puts the members of the document after a marker, such as <c>---</c>.</summary>
    private IEnumerable<Splice> ExchangeRoot(ConfigurationValue old, JsonObject value)
    {
        var end = TextLines.End(Text, old.End);
        if (Trivia.Hashes.Skip(Text, end) == Text.Length)
        {
            return Begin(value).Prepend(Splice.Delete(old.Start, old.End));
        }
        var lines = Style.Members(value, "");
        return old.Start == old.End ? [Splice.Insert(end, lines)] : [Splice.Delete(old.Start, old.End), Splice.Insert(end, lines)];
    }

    /// <summary>Replaces a value on the line of its key by lines, which follow the comment of that line.</summary>
    private IEnumerable<Splice> ToLines(int start, int end, string lines)
    {
        var lineEnd = TextLines.End(Text, end);
        return lineEnd == end ? [Splice.Replace(start, end, lines)]
            : start == end ? [Splice.Insert(lineEnd, lines)]
            : [Splice.Delete(start, end), Splice.Insert(lineEnd, lines)];
    }

    protected override IEnumerable<Splice> Append(ConfigurationValue collection, string? key, JsonNode? value)
    {
        if (IsFlow(collection))
        {
            return AppendFlow(collection, key, value);
        }
        var lastEnd = TextLines.End(Text, Elements(collection)[^1].End);
        if (key is not null)
        {
            var indent = IndentAt(collection.Members[^1].Start);
            return [Splice.Insert(lastEnd, Style.NewLine + indent + Style.Member(key, value, indent))];
        }
        var dash = IndentAt(Dash(collection, collection.Items.Count - 1));
        return [Splice.Insert(lastEnd, Style.NewLine + dash + Style.Item(value, dash))];
    }

    private IEnumerable<Splice> AppendFlow(ConfigurationValue collection, string? key, JsonNode? value)
    {
        if (Elements(collection) is [.., var last])
        {
            return Brackets.AppendAfter(last, Style.NewLine, ", ", key is null ? YamlStyle.Flow(value) : YamlStyle.FlowMember(key, value));
        }
        var whole = key is null ? new JsonArray(value?.DeepClone()) : (JsonNode)new JsonObject { [key] = value?.DeepClone() };
        return Trivia.Hashes.LastComment(Text, collection.Start + 1, collection.End - 1) is { } comment
            ? [Splice.Insert(comment.End, Style.NewLine + TextLines.Indent(Text, comment.Start) + YamlStyle.Flow(whole)[1..^1])]
            : Exchange(collection, whole);
    }

    protected override IEnumerable<Splice> Delete(ConfigurationValue collection, int index)
    {
        var elements = Elements(collection);
        if (IsFlow(collection))
        {
            return Brackets.Delete(collection, elements, index);
        }
        var start = collection.Kind == ValueKind.List ? Dash(collection, index) : elements[index].Start;
        if (!TextLines.IsFirst(Text, start) && index + 1 < elements.Count)
        {
            var next = collection.Kind == ValueKind.List ? Dash(collection, index + 1) : elements[index + 1].Start;
            return [Splice.Delete(start, next)];
        }
        var lines = DeleteLines(TextLines.Start(Text, start), TextLines.Next(Text, elements[index].End));
        if (elements.Count > 1 || OwnerOf(collection) is not { KeyEnd: > 0 } owner)
        {
            return [lines];
        }
        var colon = Text.IndexOf(':', owner.KeyEnd);
        return [Splice.Insert(colon + 1, collection.Kind == ValueKind.Map ? " {}" : " []"), lines];
    }

    /// <summary>Removes lines. If the last line of the text has no line end, the new last line has none either.</summary>
    private Splice DeleteLines(int start, int end)
    {
        var isOpenEnd = end == Text.Length && Text[end - 1] != '\n' && start > 0;
        return Splice.Delete(isOpenEnd ? TextLines.End(Text, start - 1) : start, end);
    }

    /// <summary>Returns the position of the dash of an element.</summary>
    private int Dash(ConfigurationValue list, int index) =>
        index == 0 ? list.Start : Trivia.Hashes.Skip(Text, TextLines.End(Text, list.Items[index - 1].End)) ?? list.Start;

    private bool IsFlow(ConfigurationValue value) => value.Kind is ValueKind.Map or ValueKind.List && Text[value.Start] is '{' or '[';

    private bool IsInFlow(ConfigurationValue value) => Collections(Root!).Any(c => c != value && IsFlow(c) && c.Start <= value.Start && value.End <= c.End);

    private static IEnumerable<ConfigurationValue> Collections(ConfigurationValue value) =>
        value.Members.Select(m => m.Value).Concat(value.Items).SelectMany(Collections).Prepend(value).Where(v => v.Kind is ValueKind.Map or ValueKind.List);

    /// <summary>Returns blanks as wide as the text before a position on its line, which can have dashes.</summary>
    private string IndentAt(int position) => new(' ', position - TextLines.Start(Text, position));

    private YamlStyle Style => new(TextLines.NewLine(Text, Text.Length), Unit(), HasFlushLists());

    private string Unit() => BlockMembers().Where(m => m.Value.Kind == ValueKind.Map).Select(m => Column(m.Value.Start) - Column(m.Start))
        .FirstOrDefault(width => width > 0) is var found and > 0 ? new string(' ', found) : "  ";

    private bool HasFlushLists() => BlockMembers().FirstOrDefault(m => m.Value.Kind == ValueKind.List) is { } list
        && Column(list.Value.Start) == Column(list.Start);

    /// <summary>Returns the members whose value is a map or a list in lines.</summary>
    private IEnumerable<ConfigurationMember> BlockMembers() => Root is null ? []
        : Collections(Root).SelectMany(c => c.Members).Where(m => m.Value.Kind is ValueKind.Map or ValueKind.List && !IsFlow(m.Value));

    private int Column(int position) => position - TextLines.Start(Text, position);

    private BracketedText Brackets => new(Text, Trivia.Hashes);
}
