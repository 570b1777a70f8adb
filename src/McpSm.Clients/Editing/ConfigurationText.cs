using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>
/// A parsed configuration text. An edit changes only the text of the entry; comments, order, indentation and line ends of everything else stay.
/// </summary>
internal abstract class ConfigurationText
{
    /// <summary>Parses a text. An empty or blank text is an empty document.</summary>
    /// <exception cref="ConfigurationSyntaxException">The text does not parse.</exception>
    public static ConfigurationText Parse(ConfigurationFormat format, string text) =>
        throw new NotSupportedException($"{format} cannot be parsed yet ({text.Length} characters).");

    /// <summary>Returns the servers in the order of the text. A missing container is empty.</summary>
    /// <exception cref="ConfigurationLayoutException">A value on the path has another type.</exception>
    public abstract IReadOnlyList<ConfiguredServer> GetServers(ServerContainer container);

    /// <summary>Returns the value at a path; null if it does not exist.</summary>
    public abstract JsonNode? GetValue(IReadOnlyList<string> path);

    /// <summary>Adds an entry, or replaces its value. If the value is equal, the text stays as it is.</summary>
    /// <exception cref="ConfigurationLayoutException">The layout cannot be edited.</exception>
    public abstract TextEdit Set(ServerContainer container, string name, JsonObject value);

    /// <summary>Removes an entry. The comments of its neighbours stay.</summary>
    /// <exception cref="ConfigurationLayoutException">The layout cannot be edited.</exception>
    public abstract TextEdit Remove(ServerContainer container, string name);
}
