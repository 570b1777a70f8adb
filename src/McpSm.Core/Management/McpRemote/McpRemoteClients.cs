using System.Text;
using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Management.McpRemote;

/// <summary>Finds the entries of MCP clients that start <c>mcp-remote</c>, in the files of clients that are known to be used with it.</summary>
/// <param name="environment">The variables and the folder of the user.</param>
/// <param name="projectFolder">The folder whose project files are read too; null to read none.</param>
internal sealed class McpRemoteClients(AppEnvironment environment, string? projectFolder)
{
    // Claude Code keeps its whole history in its file.
    private const int MaxBytes = 32 * 1024 * 1024;
    private const int MaxOptionFileBytes = 256 * 1024;
    private const int MaxDepth = 64;

    private static readonly string[] InHome =
    [
        ".claude.json", ".cursor/mcp.json", ".codeium/windsurf/mcp_config.json", ".gemini/settings.json", ".kiro/settings/mcp.json",
        ".lmstudio/mcp.json", ".copilot/mcp-config.json", ".config/opencode/opencode.json", ".config/zed/settings.json",
    ];

    private static readonly string[] InApplicationData = ["Claude/claude_desktop_config.json", "Code/User/mcp.json"];

    private static readonly string[] InProject = [".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json", "opencode.json"];

    /// <summary>Returns the entries, and the files that cannot be read with the reason.</summary>
    public (IReadOnlyList<McpRemoteEntry> Entries, IReadOnlyList<(string File, string Reason)> Unreadable) Find(CancellationToken cancellationToken)
    {
        var (entries, unreadable) = (new List<McpRemoteEntry>(), new List<(string, string)>());
        foreach (var file in Files.Distinct(StringComparer.Ordinal).Where(File.Exists))
        {
            try
            {
                using var document = JsonDocument.Parse(JsonFile.WithoutMark(UserFile.Read(file, MaxBytes, Unusable, cancellationToken)),
                    new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = MaxDepth });
                Collect(document.RootElement, null, file, entries, cancellationToken);
            }
            catch (JsonException)
            {
                unreadable.Add((file, "it is not valid JSON"));
            }
            catch (McpAuthException e)
            {
                unreadable.Add((file, e.Message));
            }
        }
        return (entries, unreadable);
    }

    /// <summary>Whether an entry is from a file of a project, which may have another author.</summary>
    public bool IsOfProject(McpRemoteEntry entry) =>
        projectFolder is not null && InProject.Any(file => entry.File == Path.Combine(projectFolder, file));

    private IEnumerable<string> Files =>
    [
        .. InHome.Select(file => Path.Combine(environment.HomeFolder, file)),
        .. environment.Variable("CLAUDE_CONFIG_DIR") is { } claude ? [Path.Combine(claude, ".claude.json")] : Array.Empty<string>(),
        .. InApplicationData.Select(file => Path.Combine(ApplicationData, file)),
        .. projectFolder is null ? [] : InProject.Select(file => Path.Combine(projectFolder, file)),
    ];

    private string ApplicationData => OperatingSystem.IsWindows() && environment.Variable("APPDATA") is { } data ? data
        : Path.Combine(environment.HomeFolder, OperatingSystem.IsMacOS() ? "Library/Application Support" : ".config");

    /// <summary>Searches all objects, because clients put their servers under different names, and Claude Code one list under each project.</summary>
    private static void Collect(JsonElement element, string? name, string file, List<McpRemoteEntry> entries, CancellationToken cancellationToken)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
            {
                Collect(item, name, file, entries, cancellationToken);
            }
        }
        if (element.ValueKind != JsonValueKind.Object)
        {
            return;
        }
        try
        {
            if (Read(element, cancellationToken) is { } entry)
            {
                entries.Add(entry with { Name = name, File = file });
                return;
            }
            foreach (var member in element.EnumerateObject())
            {
                Collect(member.Value, member.Name, file, entries, cancellationToken);
            }
        }
        catch (InvalidOperationException)
        {
            // A name with half a surrogate pair. Such a server cannot be reached.
        }
    }

    private static McpRemoteEntry? Read(JsonElement server, CancellationToken cancellationToken)
    {
        if (!server.TryGetProperty("command", out var command) || command.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
        {
            return null;
        }
        List<string> words = command.TextOrNull() is { } program ? [program, .. Texts(server, "args")] : [.. Texts(server, "command")];
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in (string[])["env", "environment"])
        {
            if (server.TryGetProperty(name, out var env) && env.ValueKind == JsonValueKind.Object)
            {
                foreach (var variable in env.EnumerateObject())
                {
                    variables[variable.Name] = variable.Value.TextOrNull() ?? "";
                }
            }
        }
        return McpRemoteArguments.Read(words, variables, path => ReadOptionFile(path, cancellationToken));
    }

    private static IEnumerable<string> Texts(JsonElement server, string name) =>
        server.TryGetProperty(name, out var texts) && texts.ValueKind == JsonValueKind.Array
            ? texts.EnumerateArray().Select(text => text.TextOrNull()).OfType<string>() : [];

    private static string? ReadOptionFile(string path, CancellationToken cancellationToken)
    {
        try
        {
            return Encoding.UTF8.GetString(UserFile.Read(path, MaxOptionFileBytes, Unusable, cancellationToken));
        }
        catch (McpAuthException)
        {
            // mcp-remote itself would not start with it. The entry is then looked for without what the file says.
            return null;
        }
    }

    private static McpAuthException Unusable(string reason) => new(ErrorReason.ConfigurationUnavailable, reason);
}
