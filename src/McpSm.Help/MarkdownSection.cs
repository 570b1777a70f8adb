using Markdig.Syntax;

namespace McpSm.Help;

/// <summary>A part of a page: what stands under a heading, up to the next of its level.</summary>
internal sealed record MarkdownSection(string Heading, IReadOnlyList<Block> Blocks)
{
    /// <summary>The parts under headings of a level; what stands before the first is left out.</summary>
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

    /// <summary>Its paragraphs as plain text.</summary>
    public IReadOnlyList<string> Paragraphs => MarkdownText.Paragraphs(Blocks);
}
