using System.Text.RegularExpressions;
using McpSm.TestServers;

namespace McpSm.Core.Tests.Architecture;

/// <summary>A file that people write in words: code with its comments and messages, or a page.</summary>
/// <param name="Name">Its path in the repository, with slashes.</param>
/// <param name="Words">Its text on one line, without the marks of comments, so that an expression finds words across line breaks.</param>
internal sealed partial record SourceText(string Name, string Words)
{
    private static readonly string[] Folders = ["src", "tests", "samples", "bench", "build", "docs"];

    private static readonly HashSet<string> Extensions =
        [".cs", ".ps1", ".psm1", ".psd1", ".ps1xml", ".md", ".json", ".sh", ".bash", ".zsh", ".fish", ".mjs", ".csproj", ".props", ".targets", ".proj"];

    /// <summary>Reads the files at the root and all files of the folders, without build output and golden files.</summary>
    public static IReadOnlyList<SourceText> ReadAll() =>
        [.. Directory.EnumerateFiles(Repository.Root)
            .Concat(Folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories)))
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
            .Where(name => Extensions.Contains(Path.GetExtension(name)) && !IsGenerated(name))
            .Order(StringComparer.Ordinal)
            .Select(name => new SourceText(name, ToWords(File.ReadAllText(Path.Combine(Repository.Root, name)))))];

    /// <summary>Joins the lines, and separates the words of a test name.</summary>
    private static string ToWords(string text) => LineBreak().Replace(Underscore().Replace(text, " "), " ");

    private static bool IsGenerated(string name) =>
        name.EndsWith("packages.lock.json", StringComparison.Ordinal) || name.Split('/').Any(part => part is "obj" or "bin" or "node_modules" or "Golden");

    [GeneratedRegex(@"\s*\n\s*(?:///?|#+)?\s*")]
    private static partial Regex LineBreak();

    [GeneratedRegex(@"(?<=\w)_(?=\w)")]
    private static partial Regex Underscore();
}
