using System.Text;
using System.Text.RegularExpressions;
using McpSm.TestServers;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace McpSm.Core.Tests.Errors;

/// <summary>
/// Reads the messages of <c>src</c> from the source: every string of more than one word, with its placeholders as the source writes them.
/// The parts of a concatenation are one message.
/// </summary>
internal static partial class MessageReader
{
    /// <summary>Returns the text of the snapshot: the messages of each file in the order of the source, below the name of the file.</summary>
    public static string ReadAll()
    {
        var text = new StringBuilder();
        foreach (var file in SourceFiles())
        {
            var messages = Read(File.ReadAllText(Path.Combine(Repository.Root, file))).Distinct().ToList();
            if (messages.Count > 0)
            {
                text.Append($"\n{file.Replace('\\', '/')}\n");
                messages.ForEach(message => text.Append($"  {message.ReplaceLineEndings("\n    ").TrimEnd()}\n"));
            }
        }
        return text.ToString();
    }

    /// <summary>Returns the messages of one file in the order of the source.</summary>
    public static IEnumerable<string> Read(string source) =>
        CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview)).GetRoot()
            .DescendantNodes(node => !IsCodeOnly(node)).OfType<ExpressionSyntax>().Where(IsOutermostText)
            .Where(node => SeveralWords().IsMatch(TextOf(node, _ => "x")))
            .Select(node => TextOf(node, placeholder => $"{{{placeholder}}}"));

    private static IEnumerable<string> SourceFiles() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Repository.Root, file))
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
        .Order(StringComparer.Ordinal);

    /// <summary>Whether the strings in this node are for the compiler or the runtime, except the texts that PowerShell shows.</summary>
    private static bool IsCodeOnly(SyntaxNode node) => node is AttributeArgumentSyntax argument
        && argument.NameEquals?.Name.Identifier.Text.EndsWith("Message", StringComparison.Ordinal) != true;

    private static bool IsOutermostText(ExpressionSyntax node) => IsText(node)
        && !node.Ancestors().TakeWhile(ancestor => ancestor is not StatementSyntax and not MemberDeclarationSyntax)
            .Any(ancestor => ancestor is InterpolationSyntax || (ancestor is BinaryExpressionSyntax && IsText(ancestor)));

    private static bool IsText(SyntaxNode? node) => node switch
    {
        LiteralExpressionSyntax literal => literal.IsKind(SyntaxKind.StringLiteralExpression),
        InterpolatedStringExpressionSyntax => true,
        ParenthesizedExpressionSyntax inner => IsText(inner.Expression),
        BinaryExpressionSyntax sum => sum.IsKind(SyntaxKind.AddExpression) && (IsText(sum.Left) || IsText(sum.Right)),
        _ => false,
    };

    /// <summary>Returns the text of a string expression.</summary>
    /// <param name="node">The expression.</param>
    /// <param name="placeholder">Returns the text for a placeholder from the source of its expression.</param>
    private static string TextOf(ExpressionSyntax node, Func<string, string> placeholder) => node switch
    {
        LiteralExpressionSyntax literal when IsText(literal) => literal.Token.ValueText,
        InterpolatedStringExpressionSyntax text => string.Concat(text.Contents.Select(content => TextOf(content, placeholder))),
        ParenthesizedExpressionSyntax inner when IsText(inner) => TextOf(inner.Expression, placeholder),
        BinaryExpressionSyntax sum when IsText(sum) => TextOf(sum.Left, placeholder) + TextOf(sum.Right, placeholder),
        _ => placeholder(OneLine(node)),
    };

    private static string TextOf(InterpolatedStringContentSyntax content, Func<string, string> placeholder) => content switch
    {
        InterpolatedStringTextSyntax text => text.TextToken.ValueText,
        InterpolationSyntax part => placeholder($"{OneLine(part.Expression)}{part.AlignmentClause}{part.FormatClause}"),
        _ => throw new ArgumentException($"An interpolated string has content of an unknown kind: {content.Kind()}."),
    };

    private static string OneLine(ExpressionSyntax node) => LineBreak().Replace(node.ToString(), " ");

    [GeneratedRegex(@"\s*\r?\n\s*")]
    private static partial Regex LineBreak();

    // Placeholders are "x" here.
    [GeneratedRegex(@"^(?=.*\p{L}{2}).*\S\s+\S", RegexOptions.Singleline)]
    private static partial Regex SeveralWords();
}
