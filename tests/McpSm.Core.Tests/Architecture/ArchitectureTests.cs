using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using McpSm.Core.Errors;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

public sealed partial class ArchitectureTests
{
    // Top first. A folder uses those after it, and none before it.
    private static readonly string[] Order =
        ["Management", "HttpAuthentication", "SignIn", "Registration", "Status", "Credentials", "Entra", "Interaction", "Grants", "Probing", "Vaults", "Servers", "Discovery", "Http",
            "Browsing", "Processes", "Configuration", "Network", "Interruption", "Files", "Errors"];

    [Fact]
    public void No_folder_of_Core_uses_one_above_it()
    {
        var core = Path.Combine(Root(), "src", "McpSm.Core");
        var wrong = from file in Directory.EnumerateFiles(core, "*.cs", SearchOption.AllDirectories)
                    let folder = Path.GetFileName(Path.GetDirectoryName(file))!
                    where Order.Contains(folder)
                    from Match use in Using().Matches(File.ReadAllText(file))
                    let used = use.Groups[1].Value
                    where Array.IndexOf(Order, used) < Array.IndexOf(Order, folder)
                    select $"{folder}/{Path.GetFileName(file)} uses {used}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_variable_of_ours_is_told_in_the_help()
    {
        var told = File.ReadAllText(Path.Combine(Root(), "docs", "en-US", "about_Mcpsm.md"));
        var read = Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            .SelectMany(f => Variable().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Distinct()
            // Between two of our own processes.
            .Except(["MCPSM_HANDED_OVER"]).ToList();
        Assert.Contains("MCPSM_VAULT", read);
        Assert.All(read, name => Assert.Matches($"\\b{name}\\b", told));
    }

    [Fact]
    public void NextCommand_builds_every_command_line_that_names_a_foreign_value()
    {
        var wrong = from file in Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.cs", SearchOption.AllDirectories)
                    where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}")
                    from line in File.ReadLines(file)
                    where HandMadeCommand().IsMatch(line)
                    select $"{Path.GetFileName(file)}: {line.Trim()}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Core_names_no_command()
    {
        var core = Path.Combine(Root(), "src", "McpSm.Core");
        var wrong = from file in Directory.EnumerateFiles(core, "*.cs", SearchOption.AllDirectories)
                    where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}")
                    from line in File.ReadLines(file)
                    where !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && NamedCommand().IsMatch(line) && !ForeignCommand().IsMatch(line)
                    select $"{Path.GetFileName(file)}: {line.Trim()}";
        Assert.Empty(wrong);
    }

    /// <summary>
    /// A step in a text of type string would show in words. The compiler makes such a text by <c>AppendFormatted</c> of a handler
    /// that is not <see cref="Remedy"/>, which the assembly then instantiates for the type of the step.
    /// </summary>
    [Theory]
    [InlineData("McpSm.Core.dll")]
    [InlineData("McpSm.Commands.dll")]
    public void Every_step_is_rendered_by_a_formatter(string assembly)
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
    public void Programs_are_started_in_one_place()
    {
        var starts = Sources().Where(f => Starting().IsMatch(File.ReadAllText(f))).Select(f => Path.GetFileName(f)!);
        Assert.Equal(["ProgramStarter.cs"], starts);
    }

    [Fact]
    public void A_variable_that_the_user_names_is_read_as_a_secret()
    {
        // Variables with names of our own are told by a literal or a constant.
        var read = from file in Sources()
                   from Match match in NamedVariable().Matches(File.ReadAllText(file))
                   select $"{Path.GetFileName(file)}: {match.Value}";
        Assert.Empty(read);
    }

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.cs", SearchOption.AllDirectories)
        .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"));

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Mcpsm.slnx")))
        {
            folder = folder.Parent;
        }
        return folder.FullName;
    }

    [GeneratedRegex("\"(MCP(?:SM|_MANAGER)_[A-Z_]+)\"")]
    private static partial Regex Variable();

    // A value in braces behind "mcpsm verb" or "Verb-McpNoun".
    [GeneratedRegex(@"\$.*(?:mcpsm (?:[a-z-]+ )+|[A-Z][a-z]+-Mcp[A-Z][A-Za-z]* )(?:-[A-Za-z-]+ )*\{")]
    private static partial Regex HandMadeCommand();

    // In a text: a verb behind "mcpsm", a cmdlet, an option.
    [GeneratedRegex("""
        "[^"]*(?:\bmcpsm [a-z]|[A-Z][a-z]+-(?:Mcp|Secret)[A-Z]?|(?<=["\s])--[a-z])
        """)]
    private static partial Regex NamedCommand();

    // What a key is derived for; and a program of GNOME, with its options.
    [GeneratedRegex("mcpsm credentials|gnome-keyring-daemon --replace")]
    private static partial Regex ForeignCommand();

    [GeneratedRegex(@"\bProcess\.Start\(|new ProcessStartInfo\b|\bProcessStartInfo \w+ = new|UseShellExecute = true")]
    private static partial Regex Starting();

    [GeneratedRegex(@"(?<=\.)Variable\((?!""|[\w.]*Variable\))[^)]*\)")]
    private static partial Regex NamedVariable();

    [GeneratedRegex(@"using McpSm\.Core\.(\w+);")]
    private static partial Regex Using();
}
