using System.Text.RegularExpressions;
using Xunit;

namespace McpSm.Core.Tests;

public sealed partial class HouseTests
{
    // Top first. A folder uses those after it, and none before it.
    private static readonly string[] Order =
        ["Clients", "Credentials", "Grants", "Vaults", "Probing", "Servers", "Discovery", "Browsing", "Files", "Network", "Errors"];

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

    [GeneratedRegex(@"\bProcess\.Start\(|new ProcessStartInfo\b|\bProcessStartInfo \w+ = new|UseShellExecute = true")]
    private static partial Regex Starting();

    [GeneratedRegex(@"(?<=\.)Variable\((?!""|[\w.]*Variable\))[^)]*\)")]
    private static partial Regex NamedVariable();

    [GeneratedRegex(@"using McpSm\.Core\.(\w+);")]
    private static partial Regex Using();
}
