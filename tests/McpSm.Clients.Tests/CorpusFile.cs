using McpSm.Clients.Editing;
using McpSm.TestServers;

namespace McpSm.Clients.Tests;

/// <summary>A file of the corpus, and where its servers are.</summary>
public static class CorpusFile
{
    private static readonly Dictionary<string, string[]> Paths = new()
    {
        ["vscode-"] = ["servers"],
        ["zed-"] = ["context_servers"],
        ["opencode"] = ["mcp"],
        ["amp-"] = ["amp.mcpServers"],
        ["codex-"] = ["mcp_servers"],
        ["grok-"] = ["mcp_servers"],
        ["vibe-"] = ["mcp_servers"],
        ["goose-"] = ["extensions"],
        ["several-prefixes"] = ["mcp_servers"],
    };

    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "McpSm.Clients.Tests", "Corpus");

    /// <summary>Returns the names of all files of a format.</summary>
    internal static IEnumerable<string> Names(ConfigurationFormat format) =>
        Directory.EnumerateFiles(Path.Combine(Folder, format.ToString().ToLowerInvariant())).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal);

    internal static string Read(ConfigurationFormat format, string name) =>
        File.ReadAllText(Path.Combine(Folder, format.ToString().ToLowerInvariant(), name));

    internal static ServerContainer Container(string name) =>
        new(Paths.FirstOrDefault(p => name.StartsWith(p.Key, StringComparison.Ordinal)).Value ?? ["mcpServers"],
        name.Contains("list", StringComparison.Ordinal) ? ContainerShape.List : ContainerShape.Map);

    /// <summary>Returns the text with other line ends, a byte order mark, without a final line end, and with tabs.</summary>
    internal static IEnumerable<string> Variants(string text)
    {
        yield return text;
        yield return text.ReplaceLineEndings("\r\n");
        yield return '\uFEFF' + text;
        yield return text.TrimEnd('\n');
        yield return '\uFEFF' + text.ReplaceLineEndings("\r\n").TrimEnd();
    }
}
