using Markdig.Syntax;

namespace McpSm.Help;

/// <summary>The help page of a command, <c>docs/en-US/&lt;name&gt;.md</c>.</summary>
internal sealed record CommandPage(string Name, IReadOnlyList<string> Synopsis, IReadOnlyList<string> Description, IReadOnlyList<HelpExample> Examples,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Parameters, IReadOnlyList<string> Notes, IReadOnlyList<string> Links)
{
    /// <summary>Parses a page.</summary>
    /// <exception cref="FormatException">The page does not have the sections of a command page.</exception>
    public static CommandPage Read(string text)
    {
        if (MarkdownSection.Split(MarkdownText.Parse(text), 1) is not [var page])
        {
            throw new FormatException("the page must have one heading of level 1: the name of the command.");
        }
        var sections = MarkdownSection.Split(page.Blocks, 2).ToDictionary(s => s.Heading);
        if (sections.Keys.Except(["SYNOPSIS", "DESCRIPTION", "EXAMPLES", "PARAMETERS", "NOTES", "RELATED LINKS"]).FirstOrDefault() is { } unknown)
        {
            throw new FormatException($"a command page cannot have the heading '{unknown}'.");
        }
        IReadOnlyList<Block> Blocks(string heading) => sections.TryGetValue(heading, out var section) ? section.Blocks : [];
        IReadOnlyList<string> Required(string heading) => MarkdownText.Paragraphs(Blocks(heading)) is { Count: > 0 } paragraphs ? paragraphs
            : throw new FormatException($"the section {heading} is missing.");
        return new CommandPage(page.Heading, Required("SYNOPSIS"), Required("DESCRIPTION"),
            [.. MarkdownSection.Split(Blocks("EXAMPLES"), 3).Select(ReadExample)],
            MarkdownSection.Split(Blocks("PARAMETERS"), 3).ToDictionary(s => s.Heading.TrimStart('-'), s => s.Paragraphs),
            MarkdownText.Paragraphs(Blocks("NOTES")), [.. MarkdownText.Paragraphs(Blocks("RELATED LINKS")).Select(l => l.TrimStart('-', ' '))]);
    }

    private static HelpExample ReadExample(MarkdownSection section) => section.Blocks.OfType<FencedCodeBlock>().FirstOrDefault() is { } code
        ? new HelpExample(section.Heading, MarkdownText.Code(code), MarkdownText.Paragraphs(section.Blocks.Where(b => b != code)))
        : throw new FormatException($"the example '{section.Heading}' has no code block.");
}
