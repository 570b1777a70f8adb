namespace McpSm.Clients.Entries;

/// <summary>What a command line of the npm tool mcp-remote says.</summary>
/// <param name="Url">The URL of the server.</param>
/// <param name="Headers">The headers of <c>--header</c>.</param>
/// <param name="IsEventSource">Whether the transport is only HTTP+SSE.</param>
internal sealed record McpRemoteCommand(string Url, IReadOnlyDictionary<string, string> Headers, bool IsEventSource)
{
    /// <summary>Reads a command line, with or without what starts the tool (npx, a shell, a path); null if it does not start the tool.</summary>
    public static McpRemoteCommand? Parse(IReadOnlyList<string> commandLine)
    {
        var tool = commandLine.ToList().FindIndex(IsTool);
        if (tool < 0)
        {
            return null;
        }
        var arguments = commandLine.Skip(tool + 1).ToArray();
        var url = Array.Find(arguments, argument => Uri.TryCreate(argument, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https");
        if (url is null)
        {
            return null;
        }
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var isEventSource = false;
        for (var i = 0; i + 1 < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--header" when arguments[i + 1].IndexOf(':', StringComparison.Ordinal) is > 0 and var colon:
                    headers[arguments[i + 1][..colon].Trim()] = arguments[i + 1][(colon + 1)..].Trim();
                    break;
                case "--transport":
                    isEventSource = arguments[i + 1] == "sse-only";
                    break;
            }
        }
        return new McpRemoteCommand(url, headers, isEventSource);
    }

    private static bool IsTool(string argument)
    {
        var name = argument.Split('/', '\\')[^1];
        return name is "mcp-remote" or "mcp-remote.cmd" || name.StartsWith("mcp-remote@", StringComparison.Ordinal);
    }
}
