using System.Text.RegularExpressions;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Checks that the pages for contributors name files and types that exist.</summary>
public sealed partial class DocumentationTests
{
    // Types of other libraries that our code does not use.
    private static readonly string[] Foreign = ["CrossPlatLock"];

    public static TheoryData<string> Pages =>
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md"))
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs", "adr"), "*.md"))
            .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "bench"), "*.md"))
            .Select(page => Path.GetRelativePath(Repository.Root, page).Replace('\\', '/')),
    ];

    /// <summary>Pages that explain the code.</summary>
    public static TheoryData<string> CodePages =>
    [
        .. Pages.Select(page => page.Data).Where(page => page is "CONTRIBUTING.md" or "SECURITY.md" or "docs/architecture.md"
            || page.StartsWith("docs/adr/", StringComparison.Ordinal)),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Link_in_page_leads_to_a_file_and_a_heading(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        var broken = from Match link in Link().Matches(Read(page))
                     let target = link.Groups["target"].Value
                     where !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal)
                     let parts = target.Split('#', 2)
                     let file = parts[0].Length == 0 ? Path.Combine(Repository.Root, page) : Path.GetFullPath(Path.Combine(folder, parts[0]))
                     where !Path.Exists(file) || (parts.Length > 1 && !Headings(file).Contains(parts[1]))
                     select target;
        Assert.Empty(broken);
    }

    [Theory]
    [MemberData(nameof(CodePages))]
    public void Path_in_page_exists(string page)
    {
        var missing = Code(page).Where(text => RootedPath().IsMatch(text) && !Path.Exists(Path.Combine(Repository.Root, text)));
        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(CodePages))]
    public void Source_file_in_page_exists(string page)
    {
        var files = Sources().Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')).ToList();
        var missing = Code(page).Where(text => SourceFile().IsMatch(text)
            && !files.Any(file => ("/" + file).EndsWith("/" + text, StringComparison.Ordinal)));
        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(CodePages))]
    public void Type_or_member_in_page_exists(string page)
    {
        var words = Sources().SelectMany(file => Word().Matches(File.ReadAllText(file))).Select(word => word.Value)
            .ToHashSet(StringComparer.Ordinal);
        var missing = Code(page).Where(text => TypeName().IsMatch(text)).SelectMany(text => text.Split('.')).Except(Foreign)
            .Where(word => !words.Contains(word));
        Assert.Empty(missing);
    }

    private static string Read(string page) => File.ReadAllText(Path.Combine(Repository.Root, page));

    /// <summary>Returns the text in backticks, outside code blocks.</summary>
    private static IEnumerable<string> Code(string page) =>
        Inline().Matches(Block().Replace(Read(page), "")).Select(code => code.Groups[1].Value).Distinct();

    private static IEnumerable<string> Sources() => new[] { "src", "tests", "samples", "bench" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules"));

    /// <summary>Returns the anchors that GitHub derives from the headings.</summary>
    private static HashSet<string> Headings(string file) =>
    [
        .. Heading().Matches(File.ReadAllText(file)).Select(heading => heading.Groups[1].Value.Trim().ToLowerInvariant())
            .Select(heading => NoAnchor().Replace(heading, "").Replace(' ', '-')),
    ];

    [GeneratedRegex(@"\[[^\]]*\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"^(?:src|tests|docs|samples|bench|build)/[\w./-]+$")]
    private static partial Regex RootedPath();

    [GeneratedRegex(@"^[\w./-]+\.cs$")]
    private static partial Regex SourceFile();

    [GeneratedRegex(@"^(?!(?:McpSm|Microsoft|System)\.)[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*(?:\.[A-Z][A-Za-z0-9]+)?$")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
