using System.Text.RegularExpressions;
using McpSm.TestServers;

namespace McpSm.Core.Tests.Architecture;

/// <summary>A test, read from the source, because reflection sees only the tests of one assembly.</summary>
/// <param name="ClassName">The name of its class, which is also the name of its file.</param>
/// <param name="Name">The name of its method.</param>
/// <param name="Rules">The rules of <c>docs/rules.json</c> that it covers.</param>
/// <param name="Faults">The faults of <c>docs/rules.json</c> that it reproduces.</param>
/// <param name="IsTest">Whether the method has an attribute of a test, and not only others.</param>
internal sealed partial record SourceTest(string ClassName, string Name, IReadOnlyList<string> Rules, IReadOnlyList<int> Faults, bool IsTest)
{
    public string FullName => $"{ClassName}.{Name}";

    /// <summary>Reads all C# tests of the repository.</summary>
    public static IReadOnlyList<SourceTest> ReadAll() =>
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules"))
            .SelectMany(file => Method().Matches(File.ReadAllText(file)).Select(match => Read(Path.GetFileNameWithoutExtension(file), match)))];

    private static SourceTest Read(string className, Match match)
    {
        var attributes = match.Groups["attributes"].Value;
        return new(className, match.Groups["name"].Value, [.. Arguments(Rule().Match(attributes))], [.. Arguments(Fault().Match(attributes)).Select(int.Parse)],
            TestAttribute().IsMatch(attributes));
    }

    private static IEnumerable<string> Arguments(Match attribute) =>
        attribute.Groups[1].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(argument => argument.Trim('"'));

    // An attribute can go on for several lines, which begin with a value or a plus sign.
    [GeneratedRegex(
        @"(?<attributes>(?:^[ \t]+\[[^\n]*\n|^[ \t]+(?:""|\$|\+|\d|//|new|typeof|[A-Z]\w+\.)[^\n]*\n)+)"
        + @"[ \t]+public (?:async )?\w+ (?<name>\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Method();

    [GeneratedRegex(@"\[(?:Fact|Theory)\b")]
    public static partial Regex TestAttribute();

    [GeneratedRegex(@"\[Rule\(([^)]*)\)\]")]
    private static partial Regex Rule();

    [GeneratedRegex(@"\[FieldFault\(([^)]*)\)\]")]
    private static partial Regex Fault();
}
