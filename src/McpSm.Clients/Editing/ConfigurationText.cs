using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>
/// A parsed configuration text. An edit changes only the text of the entry; comments, order, indentation and line ends of everything else stay.
/// </summary>
/// <param name="text">The text without a byte order mark.</param>
/// <param name="root">The value of the document; null if it has none.</param>
internal abstract class ConfigurationText(string text, ConfigurationValue? root)
{
    private const char ByteOrderMark = '\uFEFF';

    private string _mark = "";

    /// <summary>The text without a byte order mark.</summary>
    protected string Text { get; } = text;

    /// <summary>The value of the document; null if it has none.</summary>
    protected ConfigurationValue? Root { get; } = root;

    /// <summary>Whether the text has neither values nor comments. An empty map of JSON counts as empty.</summary>
    public abstract bool IsBare { get; }

    /// <summary>Parses a text. An empty or blank text is an empty document.</summary>
    /// <exception cref="ConfigurationSyntaxException">The text does not parse.</exception>
    public static ConfigurationText Parse(ConfigurationFormat format, string text)
    {
        var hasMark = text.StartsWith(ByteOrderMark);
        var parsed = ParseWithoutMark(format, hasMark ? text[1..] : text);
        parsed._mark = hasMark ? ByteOrderMark.ToString() : "";
        return parsed;
    }

    private static ConfigurationText ParseWithoutMark(ConfigurationFormat format, string text) => format switch
    {
        ConfigurationFormat.Json => new JsonConfigurationText(text, JsonReader.Read(text)),
        ConfigurationFormat.Toml => TomlConfigurationText.Parse(text),
        ConfigurationFormat.Yaml => new YamlConfigurationText(text, YamlReader.Read(text)),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    /// <summary>Returns the servers in the order of the text. A missing container is empty.</summary>
    /// <exception cref="ConfigurationLayoutException">A value on the path has another type.</exception>
    public IReadOnlyList<ConfiguredServer> GetServers(ServerContainer container) =>
        [.. Entries(container).Select(e => new ConfiguredServer(e.Key, ConfigurationNodes.Convert(e.Value), TextLines.Number(Text, e.Start)))];

    /// <summary>Returns the value at a path; null if it does not exist.</summary>
    public JsonNode? GetValue(IReadOnlyList<string> path)
    {
        var value = Root;
        foreach (var key in path)
        {
            value = Resolve(value) is { Kind: ValueKind.Map } map ? map.Find(key)?.Value : null;
        }
        return value is null ? null : ConfigurationNodes.Convert(value);
    }

    /// <summary>Adds an entry, or replaces its value. If the value is equal, the text stays as it is.</summary>
    /// <param name="container">The container, which is made if it does not exist.</param>
    /// <param name="name">The name of the server.</param>
    /// <param name="value">The value. In a list, its member <c>name</c> is added if it is missing.</param>
    /// <exception cref="ConfigurationLayoutException">The layout cannot be edited.</exception>
    public TextEdit Set(ServerContainer container, string name, JsonObject value)
    {
        var wanted = container.Shape == ContainerShape.List ? WithName(name, value) : value;
        var entry = Entries(container).LastOrDefault(e => e.Key == name);
        if (entry is not null && JsonNode.DeepEquals(ConfigurationNodes.Convert(entry.Value), wanted))
        {
            return Unchanged;
        }
        RequireOwnText(container, entry);
        return entry is null
            ? Checked(TextEdit.Apply(Text, Add(container, name, wanted)), container, name, wanted)
            : Checked(new TextEdit(Replace(container, name, wanted), []), container, name, wanted);
    }

    /// <summary>Removes an entry, each time that it occurs. The comments of its neighbours stay.</summary>
    /// <exception cref="ConfigurationLayoutException">The layout cannot be edited.</exception>
    public TextEdit Remove(ServerContainer container, string name)
    {
        var found = Entries(container).Where(e => e.Key == name).ToList();
        if (found.Count == 0)
        {
            return Unchanged;
        }
        foreach (var entry in found)
        {
            RequireOwnText(container, entry);
        }
        return Checked(new TextEdit(Without(container, name), []), container, name, null);
    }

    /// <summary>Removes a map or list that has no elements. Does nothing if it has some, or comments, or does not exist.</summary>
    /// <exception cref="ConfigurationLayoutException">The layout cannot be edited.</exception>
    public TextEdit RemoveEmpty(IReadOnlyList<string> path)
    {
        var parent = new ServerContainer([.. path.SkipLast(1)], ContainerShape.Map);
        if (Root is null || Find(parent) is not { } map || map.Find(path[^1])?.Value is not { } value || !IsEmpty(value))
        {
            return Unchanged;
        }
        RequireOwnText(parent, null);
        return Checked(new TextEdit(Without(parent, path[^1]), []), parent, path[^1], null);
    }

    private TextEdit Unchanged => new(_mark + Text, []);

    /// <summary>Returns the splices that add an entry which does not exist.</summary>
    protected abstract IEnumerable<Splice> Add(ServerContainer container, string name, JsonObject value);

    /// <summary>Returns the text with another value of an entry which exists.</summary>
    protected abstract string Replace(ServerContainer container, string name, JsonObject value);

    /// <summary>Returns the text without an entry which exists.</summary>
    protected abstract string Without(ServerContainer container, string name);

    /// <summary>Whether the text of a value has neither elements nor comments.</summary>
    protected abstract bool IsEmpty(ConfigurationValue value);

    /// <summary>Returns the entries of a container.</summary>
    protected IReadOnlyList<ConfigurationMember> Entries(ServerContainer container) => Find(container) is not { } found ? []
        : container.Shape == ContainerShape.Map ? found.Members
        : [.. found.Items.Select(item => (Item: item, Name: Resolve(item)?.Find("name")?.Value.Text)).Where(i => i.Name is not null)
            .Select(i => new ConfigurationMember(i.Name!, i.Item.Start, i.Item))];

    /// <summary>Returns a container; null if it does not exist or is null.</summary>
    protected ConfigurationValue? Find(ServerContainer container)
    {
        var value = Resolve(Root);
        for (var depth = 0; value is { IsNull: false }; depth++)
        {
            var kind = depth == container.Path.Count && container.Shape == ContainerShape.List ? ValueKind.List : ValueKind.Map;
            RequireKind(value, kind, depth == 0 ? null : container.Path[depth - 1]);
            if (depth == container.Path.Count)
            {
                return value;
            }
            value = Resolve(value.Find(container.Path[depth])?.Value);
        }
        return null;
    }

    private void RequireKind(ConfigurationValue value, ValueKind kind, string? key)
    {
        if (value.Kind != kind)
        {
            var subject = key is null ? "the document" : $"'{key}'";
            throw new ConfigurationLayoutException(TextLines.Number(Text, value.Start), $"{subject} is {Word(value.Kind)}, not {Word(kind)}");
        }
    }

    private static string Word(ValueKind kind) => kind switch
    {
        ValueKind.Map => "a map",
        ValueKind.List => "a list",
        _ => "a single value",
    };

    private static ConfigurationValue? Resolve(ConfigurationValue? value) => value?.Kind == ValueKind.Alias ? Resolve(value.Target) : value;

    private static JsonObject WithName(string name, JsonObject value)
    {
        var named = new JsonObject { ["name"] = name };
        foreach (var (key, member) in value)
        {
            named[key] = member?.DeepClone();
        }
        return named;
    }

    /// <summary>Refuses an edit that would change values elsewhere, which aliases of YAML repeat.</summary>
    private void RequireOwnText(ServerContainer container, ConfigurationMember? entry)
    {
        var shared = Root is null ? [] : Aliases(Root).ToList();
        var value = Root;
        for (var depth = 0; value is not null && shared.Count > 0; depth++)
        {
            if (value.Kind == ValueKind.Alias || shared.Exists(alias => alias.Target == value))
            {
                throw Shared(value);
            }
            value = depth < container.Path.Count ? value.Find(container.Path[depth])?.Value : null;
        }
        if (entry is not null && shared.Find(alias => Contains(entry.Value, alias.Target!) && !Contains(entry.Value, alias)) is { } used)
        {
            throw Shared(used.Target!);
        }
    }

    private ConfigurationLayoutException Shared(ConfigurationValue value) =>
        new(TextLines.Number(Text, value.Start), "an alias repeats this value, so that an edit would change both");

    private static bool Contains(ConfigurationValue outer, ConfigurationValue inner) => outer.Start <= inner.Start && inner.End <= outer.End;

    private static IEnumerable<ConfigurationValue> Aliases(ConfigurationValue value) => value.Kind == ValueKind.Alias ? [value]
        : value.Members.SelectMany(m => Aliases(m.Value)).Concat(value.Items.SelectMany(Aliases));

    /// <summary>Parses the new text again and compares it with the old one: only this entry may differ.</summary>
    private TextEdit Checked(TextEdit edit, ServerContainer container, string name, JsonObject? value)
    {
        if (!Differs(edit.Text, container, name, value))
        {
            throw new ConfigurationLayoutException(Entries(container).LastOrDefault() is { } last ? TextLines.Number(Text, last.Start) : 1,
                "it has a layout that cannot be edited");
        }
        return new(_mark + edit.Text, [.. edit.Insertions.Select(i => i with { Start = i.Start + _mark.Length })]);
    }

    private bool Differs(string edited, ServerContainer container, string name, JsonObject? value)
    {
        try
        {
            return new EditCheck(container, name, value).IsIntended(Root, Parse(Format, edited).Root);
        }
        catch (ConfigurationSyntaxException)
        {
            // The edit broke the text.
            return false;
        }
    }

    protected abstract ConfigurationFormat Format { get; }
}
