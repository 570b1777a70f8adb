using McpSm.Clients.Entries;

namespace McpSm.Clients.Management;

/// <summary>The program that clients start for a server, with its environment.</summary>
internal sealed class RelayProgram
{
    private const string CommandName = "mcpsm";

    // Values that are never a secret. A client gives its programs few variables.
    private static readonly string[] PassedVariables =
        ["XDG_RUNTIME_DIR", "MCP_MANAGER_CONFIG_DIR", "MCPSM_CONFIG_DIR", "MCPSM_VAULT", "SSL_CERT_FILE"];

    private static readonly string[] ProxyVariables = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"];

    private static readonly string[] ProxyExceptions = ["NO_PROXY", "no_proxy"];

    private readonly string _command;
    private readonly IReadOnlyList<string> _firstArguments;
    private readonly Func<string, string?> _getVariable;

    /// <param name="command">The absolute path of the executable, or of the program that starts the relay.</param>
    /// <param name="firstArguments">What precedes <c>proxy</c>; empty for the executable.</param>
    /// <param name="getVariable">Returns an environment variable of this process; null if it is not set.</param>
    public RelayProgram(string command, IReadOnlyList<string> firstArguments, Func<string, string?> getVariable) =>
        (_command, _firstArguments, _getVariable) = (command, firstArguments, getVariable);

    /// <summary>Returns the program of an entry. In a project's file it has no path and no variable of this user.</summary>
    public ProgramEntry CreateRelay(string serverId, ClientScope scope) => scope == ClientScope.Project
        ? new ProgramEntry(CommandName, ["proxy", serverId], new Dictionary<string, string>(StringComparer.Ordinal))
        : new ProgramEntry(_command, [.. _firstArguments, "proxy", serverId], FindVariables());

    /// <summary>Returns the command line that prints the headers of a server, as a shell reads it.</summary>
    public string CreateHelper(string serverId, ClientScope scope)
    {
        IEnumerable<string> program = scope == ClientScope.Project ? [CommandName] : [_command, .. _firstArguments];
        return string.Join(' ', program.Concat(["auth", "token", serverId, "--json"]).Select(Quote));
    }

    private Dictionary<string, string> FindVariables()
    {
        var passed = PassedVariables.Concat(ProxyExceptions).Concat(ProxyVariables.Where(IsWithoutUser))
            .Select(name => (Name: name, Value: _getVariable(name)));
        return passed.Where(variable => variable.Value is not null)
            .ToDictionary(variable => variable.Name, variable => variable.Value!, StringComparer.Ordinal);
    }

    private bool IsWithoutUser(string name) => _getVariable(name) is { } proxy && !proxy.Contains('@', StringComparison.Ordinal);

    private static string Quote(string word) => word.All(c => char.IsAsciiLetterOrDigit(c) || "/\\:._-+=,".Contains(c, StringComparison.Ordinal)) ? word
        : OperatingSystem.IsWindows() ? $"\"{word}\"" : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
