using System.Text.Json.Nodes;
using McpSm.Clients.Editing;

namespace McpSm.Clients.Entries;

/// <summary>Reads an entry of any form. The file is a stranger's: a member of another type counts as missing.</summary>
internal static class EntryReader
{
    private static readonly string[] UrlMembers = ["url", "serverUrl", "httpUrl", "uri"];
    private static readonly string[] HeaderMembers = ["headers", "http_headers"];
    private static readonly string[] HelperMembers = ["headersHelper", "http_headers_helper"];
    private static readonly string[] CommandMembers = ["command", "cmd"];
    private static readonly string[] EnvironmentMembers = ["env", "envs", "environment"];

    /// <summary>Returns what an entry is.</summary>
    public static ClientEntry Read(ConfiguredServer server)
    {
        var entry = server.Value as JsonObject ?? [];
        if (FindText(entry, UrlMembers) is { } url)
        {
            return ReadRemote(server, entry, url);
        }
        var commandLine = ReadCommandLine(entry);
        if (commandLine.Count == 0)
        {
            return new ClientEntry { Name = server.Name, Line = server.Line, Kind = EntryKind.Unknown };
        }
        var relayed = FindRelayed(commandLine);
        var remote = relayed is null ? McpRemoteCommand.Parse(commandLine) : null;
        return new ClientEntry
        {
            Name = server.Name,
            Line = server.Line,
            Kind = relayed is not null ? EntryKind.Relay : remote is not null ? EntryKind.McpRemote : EntryKind.Program,
            Server = relayed,
            Url = remote?.Url,
            Headers = remote is null ? [] : ReplaceVariables(remote.Headers, ReadTexts(entry, EnvironmentMembers)),
            IsEventSource = remote?.IsEventSource == true,
            Command = commandLine[0],
            Arguments = [.. commandLine.Skip(1)],
            Environment = ReadTexts(entry, EnvironmentMembers),
        };
    }

    /// <summary>Whether a program is the executable of Mcpsm.</summary>
    public static bool IsMcpsm(string program) =>
        program.Trim('\'', '"').Split('/', '\\')[^1] is var name && (name == "mcpsm" || name.Equals("mcpsm.exe", StringComparison.OrdinalIgnoreCase));

    private static ClientEntry ReadRemote(ConfiguredServer server, JsonObject entry, string url)
    {
        var headers = ReadTexts(entry, HeaderMembers);
        if (ToText(entry["bearer_token"]) is { Length: > 0 } token)
        {
            headers["Authorization"] = $"Bearer {token}";
        }
        var helper = FindText(entry, HelperMembers);
        var served = helper is null ? null : FindServed(helper.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return new ClientEntry
        {
            Name = server.Name,
            Line = server.Line,
            Kind = served is null ? EntryKind.Remote : EntryKind.Helper,
            Server = served,
            Url = url,
            Headers = headers,
            IsEventSource = (ToText(entry["type"]) ?? ToText(entry["transport"])) == "sse",
        };
    }

    /// <summary>Returns the server of <c>mcpsm proxy &lt;server&gt;</c>, also if another program starts Mcpsm; null for another command.</summary>
    private static string? FindRelayed(IReadOnlyList<string> commandLine) => FindAfter(commandLine, ["proxy"]);

    /// <summary>Returns the server of <c>mcpsm auth token &lt;server&gt;</c>; null for another command.</summary>
    private static string? FindServed(IReadOnlyList<string> commandLine) => FindAfter(commandLine, ["auth", "token"]);

    private static string? FindAfter(IReadOnlyList<string> commandLine, string[] subcommand)
    {
        var program = commandLine.ToList().FindIndex(IsMcpsm);
        return program >= 0 && commandLine.Skip(program + 1).Take(subcommand.Length).SequenceEqual(subcommand)
            ? commandLine.Skip(program + 1 + subcommand.Length).FirstOrDefault(argument => !argument.StartsWith('-'))?.Trim('\'', '"')
            : null;
    }

    private static List<string> ReadCommandLine(JsonObject entry)
    {
        var command = CommandMembers.Select(member => entry[member]).FirstOrDefault(value => value is not null);
        if (command is JsonArray parts)
        {
            return ReadList(parts);
        }
        return ToText(command) is { Length: > 0 } program ? [program, .. ReadList(entry["args"] as JsonArray ?? [])] : [];
    }

    private static List<string> ReadList(JsonArray values) => [.. values.Select(ToText).OfType<string>()];

    private static string? FindText(JsonObject entry, string[] members) =>
        members.Select(member => ToText(entry[member])).FirstOrDefault(text => !string.IsNullOrEmpty(text));

    private static Dictionary<string, string> ReadTexts(JsonObject entry, string[] members)
    {
        var texts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in members.Select(member => entry[member]).OfType<JsonObject>().SelectMany(value => value))
        {
            if (ToText(value) is { } text)
            {
                texts[key] = text;
            }
        }
        return texts;
    }

    // mcp-remote replaces ${NAME} by the variable, which is how people keep spaces out of arguments.
    private static Dictionary<string, string> ReplaceVariables(IReadOnlyDictionary<string, string> headers, Dictionary<string, string> variables) =>
        headers.ToDictionary(header => header.Key,
            header => variables.Aggregate(header.Value, (value, variable) => value.Replace($"${{{variable.Key}}}", variable.Value, StringComparison.Ordinal)),
            StringComparer.OrdinalIgnoreCase);

    private static string? ToText(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var result) ? result : null;
}
