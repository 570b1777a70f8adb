using Markdig.Syntax;

namespace McpSm.Help;

/// <summary>The page of a command, <c>docs/en-US/&lt;name&gt;.md</c>.</summary>
internal sealed record CommandPage(string Name, IReadOnlyList<string> Synopsis, IReadOnlyList<string> Description, IReadOnlyList<HelpExample> Examples,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Parameters, IReadOnlyList<string> Notes, IReadOnlyList<string> Links)
{
    /// <exception cref="FormatException">It has not the form of such a page.</exception>
    public static CommandPage Read(string text)
    {
        if (MarkdownSection.Split(MarkdownText.Parse(text), 1) is not [var page])
        {
            throw new FormatException("a page has one heading of level 1, the command's name.");
        }
        var parts = MarkdownSection.Split(page.Blocks, 2).ToDictionary(s => s.Heading);
        if (parts.Keys.Except(["SYNOPSIS", "DESCRIPTION", "EXAMPLES", "PARAMETERS", "NOTES", "RELATED LINKS"]).FirstOrDefault() is { } unknown)
        {
            throw new FormatException($"'{unknown}' is no heading of a command's page.");
        }
        IReadOnlyList<Block> Blocks(string heading) => parts.TryGetValue(heading, out var section) ? section.Blocks : [];
        IReadOnlyList<string> Needed(string heading) => MarkdownText.Paragraphs(Blocks(heading)) is { Count: > 0 } said ? said
            : throw new FormatException($"there is no {heading}.");
        return new CommandPage(page.Heading, Needed("SYNOPSIS"), Needed("DESCRIPTION"), [.. MarkdownSection.Split(Blocks("EXAMPLES"), 3).Select(ReadExample)],
            MarkdownSection.Split(Blocks("PARAMETERS"), 3).ToDictionary(s => s.Heading.TrimStart('-'), s => s.Paragraphs),
            MarkdownText.Paragraphs(Blocks("NOTES")), [.. MarkdownText.Paragraphs(Blocks("RELATED LINKS")).Select(l => l.TrimStart('-', ' '))]);
    }

    private static HelpExample ReadExample(MarkdownSection section) => section.Blocks.OfType<FencedCodeBlock>().FirstOrDefault() is { } code
        ? new HelpExample(section.Heading, MarkdownText.Code(code), MarkdownText.Paragraphs(section.Blocks.Where(b => b != code)))
        : throw new FormatException($"the example '{section.Heading}' has no code.");
}
