using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace McpSm.Help;

/// <summary>Converts Markdown to plain text.</summary>
internal static class MarkdownText
{
    public static MarkdownDocument Parse(string text) => Markdig.Markdown.Parse(text);

    public static string Code(FencedCodeBlock block) => block.Lines.ToString().ReplaceLineEndings("\n");

    /// <summary>Returns the paragraphs, list items and code of blocks.</summary>
    /// <exception cref="FormatException">The blocks contain a Markdown element that help text cannot show.</exception>
    public static IReadOnlyList<string> Paragraphs(IEnumerable<Block> blocks) => [.. blocks.SelectMany<Block, string>(block => block switch
    {
        ParagraphBlock paragraph => [Text(paragraph.Inline)],
        ListBlock list => list.OfType<ListItemBlock>().Select(item => "- " + string.Join(' ', Paragraphs(item))),
        FencedCodeBlock code => [string.Join('\n', Code(code).Split('\n').Select(l => "    " + l))],
        _ => throw new FormatException($"line {block.Line + 1}: a help page cannot contain a {block.GetType().Name}."),
    })];

    public static string Text(ContainerInline? inlines) => string.Concat((inlines ?? []).Select(inline => inline switch
    {
        LiteralInline literal => literal.Content.ToString(),
        CodeInline code => code.Content,
        LineBreakInline => " ",
        LinkInline { Url: { } url } link => Uri.IsWellFormedUriString(url, UriKind.Absolute) ? $"{Text(link)} ({url})" : Text(link),
        AutolinkInline link => link.Url,
        HtmlEntityInline entity => entity.Transcoded.ToString(),
        EmphasisInline emphasis => Text(emphasis),
        _ => throw new FormatException($"a help page cannot contain a {inline.GetType().Name}."),
    }));
}
