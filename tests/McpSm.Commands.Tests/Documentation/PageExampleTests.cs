using McpSm.Commands.Tests.Auth;
using McpSm.Commands.Tests.Clients;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Documentation;

/// <summary>Tests that every example of the documentation has a test, or a reason why it cannot run.</summary>
public sealed class PageExampleTests
{
    private const string Pester = "tests/pester/Examples.Tests.ps1";

    /// <summary>The examples by page, heading and language, with the test that runs each, or the reason why none does.</summary>
    private static readonly Dictionary<string, string> RunBy = new()
    {
        ["README.md//sh"] = "nothing: starts the quickstart and all tests, as CI does",
        ["README.md/Install/sh"] = "nothing: builds the whole tree, as CI does; InstallTests install the result",
        ["README.md/Using the token/sh"] = nameof(DocumentedToolTests),
        ["docs/en-US/about_McpTroubleshooting.md/SSH/"] = "nothing: needs another machine with an SSH server",
        ["docs/architecture.md/Layers/"] = "nothing: a drawing",
        ["docs/style.md/Words to avoid/regex"] = "nothing: patterns that the test of the style reads",
        ["docs/style.md/Words to avoid/regex test-name"] = "nothing: a pattern that the test of the style reads",
        ["docs/performance.md//sh"] = "nothing: measures for many minutes",
        ["docs/clients.md//sh"] = nameof(ClientCommandTests),
        ["docs/other-tools.md/curl/sh"] = nameof(DocumentedToolTests),
        ["docs/other-tools.md/An MCP client that starts a program/json"] = nameof(DocumentedToolTests),
        ["docs/other-tools.md/An MCP client that connects to a URL/json"] = nameof(DocumentedToolTests),
        ["docs/other-tools.md/An MCP client with a header helper/json"] = nameof(DocumentedToolTests),
        ["docs/other-tools.md/A token that is bound to a key/sh"] = nameof(DocumentedToolTests),
        ["docs/other-tools.md/A CI job/yaml"] = nameof(DocumentedToolTests),
        ["docs/other-tools.md/A CI job without a secret: GitHub Actions/yaml"] = nameof(WorkloadCommandTests),
        ["docs/other-tools.md/A workload in Kubernetes/yaml"] = nameof(WorkloadCommandTests),
        ["docs/from-mcp-remote.md/Take over what mcp-remote has stored/sh"] = nameof(FromMcpRemotePageTests),
        ["docs/from-mcp-remote.md/Change the configuration of a client/json"] = nameof(FromMcpRemotePageTests),
        ["docs/from-mcp-remote.md/Sign in/sh"] = nameof(FromMcpRemotePageTests),
        ["docs/other-tools.md/A service of systemd/ini"] = nameof(DocumentedToolTests),
        ["docs/other-tools.md/A service of systemd/sh"] = nameof(DocumentedToolTests),
    };

    [Fact]
    public void Example_on_a_page_has_a_test_or_a_reason()
    {
        var docs = Path.Combine(Repository.Root, "docs");
        var examples = new List<string>();
        foreach (var page in Directory.GetFiles(docs, "*.md", SearchOption.AllDirectories).Append(Path.Combine(Repository.Root, "README.md")))
        {
            examples.AddRange(ExamplesOf(page));
        }
        // The Pester file runs every block in these languages, and has its own list of reasons.
        var shells = examples.Where(e => e.EndsWith("/powershell", StringComparison.Ordinal) || e.EndsWith("/console", StringComparison.Ordinal)).ToList();
        Assert.InRange(shells.Count, 50, 500);
        Assert.Contains("docs/*.md", File.ReadAllText(Path.Combine(Repository.Root, Pester)));
        Assert.Equal(RunBy.Keys.Order(), examples.Where(e => !shells.Contains(e)).Distinct().Order());
    }

    [Fact]
    public void Test_named_for_an_example_exists()
    {
        var tests = typeof(PageExampleTests).Assembly.GetTypes().Select(t => t.Name).ToHashSet();
        Assert.All(RunBy.Values, by => Assert.True(tests.Contains(by) || by.StartsWith("nothing: ", StringComparison.Ordinal), by));
    }

    private static IEnumerable<string> ExamplesOf(string page)
    {
        var (heading, isOpen) = ("", false);
        foreach (var line in File.ReadLines(page))
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                if (!isOpen)
                {
                    yield return $"{Path.GetRelativePath(Repository.Root, page).Replace('\\', '/')}/{heading}/{line.TrimStart()[3..]}";
                }
                isOpen = !isOpen;
            }
            else if (!isOpen && line.StartsWith("## ", StringComparison.Ordinal))
            {
                heading = line[3..];
            }
        }
    }
}
