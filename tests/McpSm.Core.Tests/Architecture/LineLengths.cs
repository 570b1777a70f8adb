using System.Globalization;
using System.Text.RegularExpressions;
using McpSm.TestServers;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Finds the lines that are longer than <c>max_line_length</c> in <c>.editorconfig</c>.</summary>
internal static partial class LineLengths
{
    private static readonly HashSet<string> NotOurs = [".git", "bin", "obj", "out", "node_modules", "TestResults"];

    private static readonly HashSet<string> Binary = [".enc", ".key", ".pfx", ".png"];

    // Paths whose lines can be longer, each with its reason. A path that ends with a slash is a folder.
    private static readonly Dictionary<string, string> Exceptions = new(StringComparer.Ordinal)
    {
        [".editorconfig"] = "A list of modifiers cannot be continued on the next line.",
        [".devcontainer/devcontainer.json"] = "A string in JSON cannot be continued on the next line.",
        ["docs/rules.json"] = "The text of a rule is one string. The page that is generated from it is wrapped.",
        ["Golden/"] = "Tests compare the bytes of these files with the formats of Mcpsm.",
        ["src/McpSm.Core/PublicAPI.Unshipped.txt"] = "The analyzer wants a member on one line.",
        ["tests/McpSm.Core.Tests/Errors/messages.txt"] = "The snapshot has one line for each message.",
    };

    /// <summary>Returns the file, number and length of each long line.</summary>
    public static IReadOnlyList<string> FindLong() => [.. Lines().Where(line => ExceptionOf(line.File) is null).Select(line => line.ToString())];

    /// <summary>Returns the exceptions that no long line needs.</summary>
    public static IReadOnlyList<string> FindUnusedExceptions() =>
        [.. Exceptions.Keys.Except(Lines().Select(line => ExceptionOf(line.File)).OfType<string>())];

    /// <summary>Returns the length that <c>.editorconfig</c> allows in a file, or null.</summary>
    public static int? MaxLength(string file)
    {
        int? length = null;
        var applies = false;
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, ".editorconfig")))
        {
            if (Section().Match(line) is { Success: true } section)
            {
                // Other patterns are for rules about the code.
                applies = section.Groups[1].Value == "*" || section.Groups[1].Value == "*" + Path.GetExtension(file);
            }
            else if (applies && Setting().Match(line) is { Success: true } setting)
            {
                length = int.Parse(setting.Groups[1].Value, CultureInfo.InvariantCulture);
            }
        }
        return length;
    }

    private static string? ExceptionOf(string file) => Exceptions.Keys.FirstOrDefault(path =>
        path.EndsWith('/') ? $"/{file}".Contains($"/{path}", StringComparison.Ordinal) : $"/{file}".EndsWith($"/{path}", StringComparison.Ordinal));

    private static IEnumerable<LongLine> Lines() =>
        from file in Files(Repository.Root)
        let max = MaxLength(file)
        where max is not null
        from line in File.ReadLines(Path.Combine(Repository.Root, file)).Index()
        where line.Item.Length > max && !LongUrl().IsMatch(line.Item)
        select new LongLine(file, line.Index + 1, line.Item.Length);

    private static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(folder).Where(file => !Binary.Contains(Path.GetExtension(file)))
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
            .Concat(Directory.EnumerateDirectories(folder).Where(child => !NotOurs.Contains(Path.GetFileName(child))).SelectMany(Files));

    [GeneratedRegex(@"^\[(.+)\]$")]
    private static partial Regex Section();

    [GeneratedRegex(@"^max_line_length = (\d+)$")]
    private static partial Regex Setting();

    // A URL cannot be broken.
    [GeneratedRegex(@"https?://\S{120}")]
    private static partial Regex LongUrl();

    private sealed record LongLine(string File, int Number, int Length)
    {
        public override string ToString() => $"{File}:{Number} has {Length} characters";
    }
}
