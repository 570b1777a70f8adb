using System.Text.Json;
using McpSm.Core.Files;

namespace McpSm.Core.Management.McpRemote;

/// <summary>Reads the command line of <c>mcp-remote</c>, as its version 0.15.1 does.</summary>
internal static class McpRemoteArguments
{
    /// <summary>Returns the entry; null if the command does not start <c>mcp-remote</c> with a URL.</summary>
    /// <param name="command">The words of the command line.</param>
    /// <param name="variables">The variables of the process, for the client's secret.</param>
    /// <param name="readFile">Reads a file that an option names; null if it cannot be read.</param>
    public static McpRemoteEntry? Read(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> variables, Func<string, string?> readFile)
    {
        var at = command.ToList().FindIndex(IsProgram);
        if (at < 0)
        {
            return null;
        }
        var words = command.Skip(at + 1).ToList();
        var headers = TakeHeaders(words, readFile);
        if (words.FirstOrDefault(word => word.Contains("://", StringComparison.Ordinal) && !word.StartsWith('-')) is not { } url)
        {
            return null;
        }
        var resource = Value(words, "--resource")?.Trim();
        var omits = words.Contains("--disable-resource-parameter") || resource is { Length: 0 };
        var (clientId, clientSecret, _) = ReadClient(Value(words, "--static-oauth-client-info"), variables, readFile);
        return new McpRemoteEntry
        {
            Url = McpRemoteText.Expand(url, variables) ?? url,
            Headers = headers,
            Variables = variables,
            Resource = omits || resource is { Length: 0 } ? null : resource,
            OmitsResource = omits,
            AuthorizeParams = ReadParameters(words),
            ClientMetadataUrl = Value(words, "--client-metadata-url")?.Trim(),
            TokenEndpoint = Value(words, "--token-endpoint") is { } endpoint && Uri.TryCreate(endpoint.Trim(), UriKind.Absolute, out var uri)
                ? uri.AbsoluteUri : null,
            Transport = Value(words, "--transport") is "http-first" or "sse-first" or "http-only" or "sse-only" ? Value(words, "--transport") : null,
            IgnoreTools = Values(words, "--ignore-tool"),
            ClientId = clientId,
            ClientSecret = clientSecret,
            Scope = ReadClient(Value(words, "--static-oauth-client-metadata"), variables, readFile).Scope,
        };
    }

    private static Dictionary<string, string> TakeHeaders(List<string> words, Func<string, string?> readFile)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < words.Count;)
        {
            if (i + 1 < words.Count && words[i] is "--header" or "--header-file")
            {
                var lines = words[i] == "--header" ? [words[i + 1]] : (readFile(words[i + 1]) ?? "").Split('\n').Select(line => line.Trim())
                    .Where(line => line.Length > 0 && line[0] != '#');
                foreach (var (name, value) in lines.Select(ReadHeader).OfType<(string, string)>())
                {
                    headers[name] = value;
                }
                words.RemoveRange(i, 2);
                continue;
            }
            i++;
        }
        return headers;
    }

    private static Dictionary<string, string> ReadParameters(List<string> words)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var parameter in Values(words, "--authorize-param"))
        {
            if (parameter.IndexOf('=') is > 0 and var at)
            {
                parameters[parameter[..at].Trim()] = parameter[(at + 1)..];
            }
        }
        return parameters;
    }

    /// <summary>Reads <c>client_id</c>, <c>client_secret</c> and <c>scope</c> of a JSON text, or of <c>@file</c>.</summary>
    private static (string? Id, string? Secret, string? Scope) ReadClient(string? given, IReadOnlyDictionary<string, string> variables,
        Func<string, string?> readFile)
    {
        if ((given is ['@', .. var path] ? readFile(path) : given) is not { } json || McpRemoteText.Expand(json, variables) is not { } expanded)
        {
            return default;
        }
        try
        {
            using var document = JsonDocument.Parse(expanded);
            return document.RootElement.ValueKind != JsonValueKind.Object ? default
                : (Text(document.RootElement, "client_id"), Text(document.RootElement, "client_secret"), Text(document.RootElement, "scope"));
        }
        catch (JsonException)
        {
            // mcp-remote itself would not start with it.
            return default;
        }
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.TextOrNull() is { Length: > 0 } text ? text : null;

    private static string? Value(List<string> words, string option) =>
        words.IndexOf(option) is >= 0 and var at && at + 1 < words.Count ? words[at + 1] : null;

    private static List<string> Values(List<string> words, string option) =>
        [.. words.Index().Where(word => word.Item == option && word.Index + 1 < words.Count).Select(word => words[word.Index + 1])];

    /// <summary>Whether a word names the program: <c>mcp-remote</c>, with a version, as a path, or as the script of the package.</summary>
    private static bool IsProgram(string word)
    {
        var path = word.Replace('\\', '/');
        foreach (var end in (string[])["/dist/proxy.js", ".cmd", ".exe"])
        {
            path = path.EndsWith(end, StringComparison.OrdinalIgnoreCase) ? path[..^end.Length] : path;
        }
        var name = path[(path.LastIndexOf('/') + 1)..];
        return (name.IndexOf('@') is > 0 and var version ? name[..version] : name) == "mcp-remote";
    }

    /// <summary>Reads a header as <c>mcp-remote</c> does: a name of letters, digits, dashes and underscores, a colon, and the value.</summary>
    private static (string Name, string Value)? ReadHeader(string line) =>
        line.IndexOf(':') is > 0 and var colon && line[..colon].All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') && !line.Contains('\n')
            ? (line[..colon], line[(colon + 1)..].TrimStart()) : null;
}
