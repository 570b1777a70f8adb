using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>Compares the values before and after an edit of one entry.</summary>
/// <param name="container">The container of the entry.</param>
/// <param name="name">The name of the entry.</param>
/// <param name="value">The new value; null if the entry was removed.</param>
internal sealed class EditCheck(ServerContainer container, string name, JsonObject? value)
{
    /// <summary>Whether the entry is as intended, and everything else is as before.</summary>
    public bool IsIntended(ConfigurationValue? before, ConfigurationValue? after) => IsIntended(before, after, 0);

    private bool IsIntended(ConfigurationValue? before, ConfigurationValue? after, int depth)
    {
        before = before is { IsNull: true } ? null : before;
        after = after is { IsNull: true } ? null : after;
        if (before is null && after is null)
        {
            return value is null;
        }
        var isContainer = depth == container.Path.Count;
        if (isContainer && container.Shape == ContainerShape.List)
        {
            return HasIntended(Named(before), Named(after)) && SameItems(Unnamed(before), Unnamed(after));
        }
        var key = isContainer ? name : container.Path[depth];
        var (old, current) = (Members(before, key), Members(after, key));
        return SameMembers(Others(before, key), Others(after, key)) && (isContainer
            ? HasIntended(old, current)
            : SameItems([.. old.SkipLast(1)], [.. current.SkipLast(1)]) && IsIntended(old.LastOrDefault(), current.LastOrDefault(), depth + 1));
    }

    private bool HasIntended(List<ConfigurationValue> before, List<ConfigurationValue> after) => value is null ? after.Count == 0
        : after.Count == Math.Max(1, before.Count) && JsonNode.DeepEquals(ConfigurationNodes.Convert(after[^1]), value);

    private List<ConfigurationValue> Named(ConfigurationValue? list) => [.. list?.Items.Where(HasName) ?? []];

    private List<ConfigurationValue> Unnamed(ConfigurationValue? list) => [.. list?.Items.Where(i => !HasName(i)) ?? []];

    private bool HasName(ConfigurationValue item) => item.Find("name")?.Value.Text == name;

    private static List<ConfigurationValue> Members(ConfigurationValue? map, string key) =>
        [.. map?.Members.Where(m => m.Key == key).Select(m => m.Value) ?? []];

    private static List<ConfigurationMember> Others(ConfigurationValue? map, string key) => [.. map?.Members.Where(m => m.Key != key) ?? []];

    /// <summary>Compares members without regard to their order, because tables of TOML have none. The order of equal keys matters.</summary>
    private static bool SameMembers(List<ConfigurationMember> before, List<ConfigurationMember> after)
    {
        if (before.Count != after.Count)
        {
            return false;
        }
        var current = after.ToLookup(m => m.Key, m => m.Value);
        return before.GroupBy(m => m.Key, m => m.Value).All(group => SameItems([.. group], [.. current[group.Key]]));
    }

    private static bool SameItems(List<ConfigurationValue> before, List<ConfigurationValue> after) =>
        before.Count == after.Count && before.Zip(after).All(pair => Same(pair.First, pair.Second));

    private static bool Same(ConfigurationValue before, ConfigurationValue after) => before.Kind == after.Kind && before.Kind switch
    {
        ValueKind.Map => SameMembers(before.Members, after.Members),
        ValueKind.List => SameItems(before.Items, after.Items),
        ValueKind.Alias => before.Anchor == after.Anchor,
        _ => JsonNode.DeepEquals(before.Scalar, after.Scalar),
    };
}
