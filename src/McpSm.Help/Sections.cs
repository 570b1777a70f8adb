using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace McpSm.Help;

/// <summary>A part of a page: what stands under a heading, up to the next of its level.</summary>
internal sealed record Section(string Heading, IReadOnlyList<Block> Blocks)
{
    /// <summary>The parts under headings of a level; what stands before the first is left out.</summary>
    public static IReadOnlyList<Section> Split(IEnumerable<Block> blocks, int level)
    {
        var sections = new List<(string Heading, List<Block> Blocks)>();
        foreach (var block in blocks)
        {
            if (block is HeadingBlock heading && heading.Level == level)
            {
                sections.Add((Markdown.Text(heading.Inline), []));
            }
            else if (sections.Count > 0)
            {
                sections[^1].Blocks.Add(block);
            }
        }
        return [.. sections.Select(s => new Section(s.Heading, s.Blocks))];
    }

    /// <summary>Its paragraphs as plain text.</summary>
    public IReadOnlyList<string> Paragraphs => Markdown.Paragraphs(Blocks);
}

/// <summary>Markdown as plain text.</summary>
internal static class Markdown
{
    public static MarkdownDocument Parse(string text) => Markdig.Markdown.Parse(text);

    public static string Code(FencedCodeBlock block) => block.Lines.ToString().ReplaceLineEndings("\n");

    /// <exception cref="FormatException">A form that plain text has no place for.</exception>
    public static IReadOnlyList<string> Paragraphs(IEnumerable<Block> blocks) => [.. blocks.SelectMany<Block, string>(block => block switch
    {
        ParagraphBlock paragraph => [Text(paragraph.Inline)],
        ListBlock list => list.OfType<ListItemBlock>().Select(item => "- " + string.Join(' ', Paragraphs(item))),
        FencedCodeBlock code => [string.Join('\n', Code(code).Split('\n').Select(l => "    " + l))],
        _ => throw new FormatException($"line {block.Line + 1}: {block.GetType().Name} is no part of a help page."),
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
        _ => throw new FormatException($"{inline.GetType().Name} is no part of a help page."),
    }));
}
