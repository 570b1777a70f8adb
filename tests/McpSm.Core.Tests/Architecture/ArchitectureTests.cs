using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using McpSm.Core.Errors;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

public sealed partial class ArchitectureTests
{
    [Fact]
    public void Environment_variable_of_Mcpsm_is_documented_in_the_help()
    {
        var help = File.ReadAllText(Path.Combine(Repository.Root, "docs", "en-US", "about_Mcpsm.md"));
        var read = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            .SelectMany(f => Variable().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Distinct()
            // These variables pass values from one Mcpsm process to another. Users do not set them.
            .Except(["MCPSM_HANDED_OVER", "MCPSM_DETACHED"]).ToList();
        Assert.Contains("MCPSM_VAULT", read);
        Assert.All(read, name => Assert.Matches($"\\b{name}\\b", help));
    }

    [Fact]
    public void Command_line_with_foreign_value_is_built_by_NextCommand()
    {
        var wrong = from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
                    where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}")
                    from line in File.ReadLines(file)
                    where HandMadeCommand().IsMatch(line)
                    select $"{Path.GetFileName(file)}: {line.Trim()}";
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("McpSm.Core")]
    [InlineData("McpSm.Clients")]
    public void Library_source_names_no_command(string project)
    {
        var wrong = from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", project), "*.cs", SearchOption.AllDirectories)
                    where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}")
                        // Two files read the options of another tool, and one writes the command that a client starts.
                        && Path.GetFileName(file) is not ("McpRemoteCommand.cs" or "McpRemoteArguments.cs" or "RelayProgram.cs")
                    from line in File.ReadLines(file)
                    where !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && NamedCommand().IsMatch(line) && !ForeignCommand().IsMatch(line)
                    select $"{Path.GetFileName(file)}: {line.Trim()}";
        Assert.Empty(wrong);
    }

    /// <summary>
    /// A step in a text of type string would show as its <c>ToString</c>. The compiler makes such a text with an <c>AppendFormatted</c> of a
    /// handler that is not <see cref="Remedy"/>, and the assembly then has an instance of that method for the type of the step.
    /// </summary>
    [Theory]
    [InlineData("McpSm.Core.dll")]
    [InlineData("McpSm.Clients.dll")]
    [InlineData("McpSm.Commands.dll")]
    public void Step_in_interpolated_text_is_rendered_by_a_formatter(string assembly)
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly)));
        var metadata = file.GetMetadataReader();
        var wrong = from row in Enumerable.Range(1, metadata.GetTableRowCount(TableIndex.MethodSpec))
                    let method = metadata.GetMethodSpecification(MetadataTokens.MethodSpecificationHandle(row))
                    where method.Method.Kind == HandleKind.MemberReference
                    let member = metadata.GetMemberReference((MemberReferenceHandle)method.Method)
                    where metadata.GetString(member.Name) == "AppendFormatted"
                    from type in method.DecodeSignature(new TypeNames(), null)
                    where type.EndsWith("Step", StringComparison.Ordinal) || type is "Remedy" or "StepOption"
                    select type;
        Assert.Empty(wrong);
    }

    [Fact]
    public void Program_start_is_only_in_ProgramStarter()
    {
        var starts = Sources().Where(f => Starting().IsMatch(File.ReadAllText(f))).Select(f => Path.GetFileName(f)!);
        Assert.Equal(["ProgramStarter.cs"], starts);
    }

    [Fact]
    public void Variable_named_by_the_user_is_read_as_a_secret()
    {
        // The other variables are named by a literal or a constant.
        var read = from file in Sources()
                   from Match match in NamedVariable().Matches(File.ReadAllText(file))
                   select $"{Path.GetFileName(file)}: {match.Value}";
        Assert.Empty(read);
    }

    [Fact]
    public void Name_of_a_source_file_is_unique()
    {
        // Every executable has a Program.cs.
        var shared = new[] { "src", "tests", "samples", "bench" }.SelectMany(SourcesIn).Where(f => Path.GetFileName(f) != "Program.cs")
            .GroupBy(f => Path.GetFileName(f), f => Path.GetRelativePath(Repository.Root, Path.GetDirectoryName(f)!), StringComparer.OrdinalIgnoreCase)
            .Where(folders => folders.Count() > 1)
            .Select(folders => $"{folders.Key} is in {string.Join(" and ", folders)}");
        Assert.Empty(shared);
    }

    private static IEnumerable<string> Sources() => SourcesIn("src");

    private static IEnumerable<string> SourcesIn(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules"));

    [GeneratedRegex("\"(MCP(?:SM|_MANAGER)_[A-Z_]+)\"")]
    private static partial Regex Variable();

    // A value in braces after "mcpsm verb" or "Verb-McpNoun".
    [GeneratedRegex(@"\$.*(?:mcpsm (?:[a-z-]+ )+|[A-Z][a-z]+-Mcp[A-Z][A-Za-z]* )(?:-[A-Za-z-]+ )*\{")]
    private static partial Regex HandMadeCommand();

    // In a text: a verb after "mcpsm", a cmdlet, or an option.
    [GeneratedRegex("""
        "[^"]*(?:\bmcpsm [a-z]|[A-Z][a-z]+-(?:Mcp|Secret)[A-Z]?|(?<=["\s])--[a-z])
        """)]
    private static partial Regex NamedCommand();

    // The label of a key derivation, and the options of a GNOME program.
    [GeneratedRegex("mcpsm credentials|gnome-keyring-daemon --replace")]
    private static partial Regex ForeignCommand();

    [GeneratedRegex(@"\bProcess\.Start\(|new ProcessStartInfo\b|\bProcessStartInfo \w+ = new|UseShellExecute = true")]
    private static partial Regex Starting();

    [GeneratedRegex(@"(?<=\.)Variable\((?!""|[\w.]*Variable\))[^)]*\)")]
    private static partial Regex NamedVariable();
}
