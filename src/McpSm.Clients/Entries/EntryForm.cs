using System.Text.Json.Nodes;
using McpSm.Clients.Catalog;

namespace McpSm.Clients.Entries;

/// <summary>Writes an entry in the form that a client reads.</summary>
internal static class EntryForm
{
    /// <summary>Returns the value of an entry that starts a program.</summary>
    /// <param name="client">The client, which determines the form.</param>
    /// <param name="name">The name of the entry.</param>
    /// <param name="program">The program.</param>
    /// <param name="isProject">Whether the entry is for a project's file instead of the user's.</param>
    /// <param name="existing">The entry that it replaces, whose other members stay if it started a program too; null for a new one.</param>
    public static JsonObject Create(ClientDefinition client, string name, ProgramEntry program, bool isProject, JsonObject? existing = null) =>
        Fill(client, client.Form, isProject, existing, part => part switch
        {
            "$name" => name,
            "$command" => program.Command,
            "$args" => ToArray(program.Arguments),
            "$commandLine" => ToArray([program.Command, .. program.Arguments]),
            "$env" => program.Environment.Count == 0 ? null : ToObject(program.Environment),
            _ => throw new FormatException($"The form '{client.Form}' has an unknown part '{part}'."),
        });

    /// <summary>Returns the value of an entry for which a program prints the headers.</summary>
    /// <param name="client">The client, which has a form for that.</param>
    /// <param name="helper">The URL and the command.</param>
    /// <param name="isProject">Whether the entry is for a project's file instead of the user's.</param>
    public static JsonObject Create(ClientDefinition client, HelperEntry helper, bool isProject) =>
        Fill(client, client.HelperForm!, isProject, null, part => part switch
        {
            "$url" => helper.Url,
            "$helper" => helper.CommandLine,
            _ => throw new FormatException($"The form '{client.HelperForm}' has an unknown part '{part}'."),
        });

    private static JsonObject Fill(ClientDefinition client, string form, bool isProject, JsonObject? existing, Func<string, JsonNode?> getPart)
    {
        // What the user added to an entry, such as a time limit or 'disabled', stays.
        var entry = existing is null ? [] : (JsonObject)existing.DeepClone();
        foreach (var (key, value) in ClientCatalog.GetForm(form))
        {
            if (value is JsonValue text && text.TryGetValue<string>(out var part) && part.StartsWith('$'))
            {
                Put(entry, key, getPart(part));
            }
            else
            {
                entry.TryAdd(key, value?.DeepClone());
            }
        }
        foreach (var (key, value) in (client.Extra ?? []).Concat(isProject ? [] : client.UserExtra ?? []))
        {
            entry.TryAdd(key, value?.DeepClone());
        }
        return entry;
    }

    private static void Put(JsonObject entry, string key, JsonNode? value)
    {
        if (value is null)
        {
            entry.Remove(key);
        }
        else
        {
            entry[key] = value;
        }
    }

    private static JsonArray ToArray(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)text)];

    private static JsonObject ToObject(IReadOnlyDictionary<string, string> texts) =>
        new(texts.OrderBy(text => text.Key, StringComparer.Ordinal).Select(text => KeyValuePair.Create(text.Key, (JsonNode?)text.Value)));
}
