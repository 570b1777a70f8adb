using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>A text in which each map and list is one part of the text. Every edit is a sequence of changes of one element.</summary>
internal abstract class TreeText(string text, ConfigurationValue? root) : ConfigurationText(text, root)
{
    /// <summary>Returns the splices that make the value of an empty document.</summary>
    protected abstract IEnumerable<Splice> Begin(JsonNode value);

    /// <summary>Returns the splices that put a value in the place of another.</summary>
    protected abstract IEnumerable<Splice> Exchange(ConfigurationValue old, JsonNode? value);

    /// <summary>Returns the splices that add an element after the others; the key is null in a list.</summary>
    protected abstract IEnumerable<Splice> Append(ConfigurationValue collection, string? key, JsonNode? value);

    /// <summary>Returns the splices that remove an element.</summary>
    protected abstract IEnumerable<Splice> Delete(ConfigurationValue collection, int index);

    protected override IEnumerable<Splice> Add(ServerContainer container, string name, JsonObject value)
    {
        if (Root is null)
        {
            return Begin(Nest(container, 0, name, value));
        }
        var (parent, depth) = (Root, 0);
        while (depth < container.Path.Count && parent.Find(container.Path[depth]) is { } member)
        {
            parent = member.Value;
            depth++;
        }
        if (parent.IsNull)
        {
            return Exchange(parent, Nest(container, depth, name, value));
        }
        var isInside = depth == container.Path.Count;
        var key = !isInside ? container.Path[depth] : container.Shape == ContainerShape.Map ? name : null;
        return Append(parent, key, isInside ? value : Nest(container, depth + 1, name, value));
    }

    protected override string Replace(ServerContainer container, string name, JsonObject value)
    {
        var current = this;
        while (current.Difference(current.Entries(container).Last(e => e.Key == name).Value, value) is { } splices)
        {
            current = (TreeText)Parse(Format, TextEdit.Apply(current.Text, splices).Text);
        }
        return current.Text;
    }

    protected override string Without(ServerContainer container, string name)
    {
        var current = this;
        while (current.Entries(container).LastOrDefault(e => e.Key == name) is { } entry)
        {
            var collection = current.Find(container)!;
            var index = container.Shape == ContainerShape.Map ? collection.Members.IndexOf(entry) : collection.Items.IndexOf(entry.Value);
            current = (TreeText)Parse(Format, TextEdit.Apply(current.Text, current.Delete(collection, index)).Text);
        }
        return current.Text;
    }

    /// <summary>Returns the positions of the elements of a map or list.</summary>
    protected static IReadOnlyList<(int Start, int End)> Elements(ConfigurationValue collection) => collection.Kind == ValueKind.Map
        ? [.. collection.Members.Select(m => (m.Start, m.Value.End))]
        : [.. collection.Items.Select(i => (i.Start, i.End))];

    /// <summary>Returns the member that has this value, or the element of a list as a member without a key; null for the root.</summary>
    protected ConfigurationMember? OwnerOf(ConfigurationValue value) => Root is null ? null : Owner(Root, value);

    private static ConfigurationMember? Owner(ConfigurationValue from, ConfigurationValue value)
    {
        if (from.Members.Find(m => m.Value.Start <= value.Start && value.End <= m.Value.End) is { } member)
        {
            return member.Value == value ? member : Owner(member.Value, value);
        }
        return from.Items.Find(i => i.Start <= value.Start && value.End <= i.End) is not { } item ? null
            : item == value ? new ConfigurationMember("", item.Start, item) : Owner(item, value);
    }

    /// <summary>Returns the splices of the first difference, so that equal members keep their layout and comments; null if the values are equal.</summary>
    private IEnumerable<Splice>? Difference(ConfigurationValue old, JsonNode? value)
    {
        if (old.Kind != ValueKind.Map || value is not JsonObject map)
        {
            return JsonNode.DeepEquals(ConfigurationNodes.Convert(old), value) ? null : Exchange(old, value);
        }
        var obsolete = old.Members.FindIndex(m => !map.ContainsKey(m.Key));
        if (obsolete >= 0 && old.Members.Count > 1)
        {
            return Delete(old, obsolete);
        }
        foreach (var (key, member) in map)
        {
            var difference = old.Find(key) is { } present ? Difference(present.Value, member) : Append(old, key, member);
            if (difference is not null)
            {
                return difference;
            }
        }
        return obsolete >= 0 ? Exchange(old, value) : null;
    }

    /// <summary>Returns the value of the container at this depth, with the entry inside.</summary>
    private static JsonNode Nest(ServerContainer container, int depth, string name, JsonObject value) => depth < container.Path.Count
        ? new JsonObject { [container.Path[depth]] = Nest(container, depth + 1, name, value) }
        : container.Shape == ContainerShape.Map ? new JsonObject { [name] = value.DeepClone() } : new JsonArray(value.DeepClone());
}
