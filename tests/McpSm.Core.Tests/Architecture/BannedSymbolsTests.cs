using System.Text.RegularExpressions;
using McpSm.TestServers;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Checks the lists of calls that fail the build. The analyzer ignores a symbol that does not exist.</summary>
public sealed partial class BannedSymbolsTests
{
    private static readonly string Sources = Path.Combine(Repository.Root, "src");

    [Fact]
    public void Banned_symbol_exists_and_names_its_replacement()
    {
        var assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var compilation = CSharpCompilation.Create("symbols", references: assemblies.Select(path => MetadataReference.CreateFromFile(path)));
        var symbols = Directory.EnumerateFiles(Sources, "BannedSymbols*.txt", SearchOption.AllDirectories).SelectMany(File.ReadLines)
            .Where(line => line.Length > 0 && !line.StartsWith("//", StringComparison.Ordinal)).Select(line => line.Split(';')).ToList();
        Assert.Contains(symbols, symbol => symbol[0] == "P:System.DateTime.UtcNow");
        Assert.All(symbols, symbol =>
        {
            Assert.NotNull(DocumentationCommentId.GetFirstSymbolForDeclarationId(symbol[0], compilation));
            Assert.EndsWith(".", symbol[1]);
        });
    }

    [Fact]
    public void Suppressed_ban_has_a_reason_and_an_end()
    {
        var suppressions = Directory.EnumerateFiles(Sources, "*.cs", SearchOption.AllDirectories)
            .Select(file => (Name: Path.GetFileName(file), Text: File.ReadAllText(file))).Where(file => file.Text.Contains("RS0030")).ToList();
        Assert.NotEmpty(suppressions);
        Assert.All(suppressions, file => Assert.True(
            Mention().Count(file.Text) == Disable().Count(file.Text) * 2 && Restore().Count(file.Text) == Disable().Count(file.Text), file.Name));
    }

    [GeneratedRegex("RS0030")]
    private static partial Regex Mention();

    [GeneratedRegex(@"^#pragma warning disable RS0030 // [A-Z.].{10,}\.\r?$", RegexOptions.Multiline)]
    private static partial Regex Disable();

    [GeneratedRegex(@"^#pragma warning restore RS0030\r?$", RegexOptions.Multiline)]
    private static partial Regex Restore();
}
