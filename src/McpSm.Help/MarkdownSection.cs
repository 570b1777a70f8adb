using Markdig.Syntax;

namespace McpSm.Help;

/// <summary>A section of a page: a heading, and the blocks up to the next heading of that level.</summary>
internal sealed record MarkdownSection(string Heading, IReadOnlyList<Block> Blocks)
{
    /// <summary>Splits blocks at the headings of a level. Blocks before the first heading are omitted.</summary>
    public static IReadOnlyList<MarkdownSection> Split(IEnumerable<Block> blocks, int level)
    {
        var sections = new List<(string Heading, List<Block> Blocks)>();
        foreach (var block in blocks)
        {
            if (block is HeadingBlock heading && heading.Level == level)
            {
                sections.Add((MarkdownText.Text(heading.Inline), []));
            }
            else if (sections.Count > 0)
            {
                sections[^1].Blocks.Add(block);
            }
        }
        return [.. sections.Select(s => new MarkdownSection(s.Heading, s.Blocks))];
    }

    /// <summary>The paragraphs of the section as plain text.</summary>
    public IReadOnlyList<string> Paragraphs => MarkdownText.Paragraphs(Blocks);
}
