using System.Text;
using Markdig.Syntax;

namespace McpSm.Help;

/// <summary>Converts an <c>about_…</c> page to the text that <c>Get-Help</c> shows.</summary>
internal static class AboutText
{
    private const int Width = 80;

    /// <summary>Returns the text of a page.</summary>
    /// <param name="name">The name of the topic.</param>
    /// <param name="text">The page in Markdown.</param>
    /// <exception cref="FormatException">The page does not have the sections of a topic.</exception>
    public static string Create(string name, string text)
    {
        if (MarkdownSection.Split(MarkdownText.Parse(text), 1) is not [var page] || page.Heading != name)
        {
            throw new FormatException($"the page must have one heading of level 1: '{name}'.");
        }
        var sections = MarkdownSection.Split(page.Blocks, 2);
        if (sections is not [{ Heading: "SHORT DESCRIPTION" } brief, ..] || brief.Paragraphs is not [{ Length: <= Width - 4 } synopsis])
        {
            throw new FormatException("the first section must be SHORT DESCRIPTION, with one line of text.");
        }
        // PowerShell reads the synopsis from the fifth line.
        var output = new StringBuilder($"TOPIC\n    {name}\n\nSHORT DESCRIPTION\n    {synopsis}\n");
        foreach (var section in sections.Skip(1))
        {
            output.Append('\n').Append(section.Heading.ToUpperInvariant()).Append('\n');
            foreach (var block in section.Blocks)
            {
                if (block is HeadingBlock heading)
                {
                    output.Append($"\n  {MarkdownText.Text(heading.Inline)}\n");
                    continue;
                }
                foreach (var paragraph in MarkdownText.Paragraphs([block]))
                {
                    Write(output, paragraph, block is FencedCodeBlock);
                }
                output.Append('\n');
            }
            output.Length--;
        }
        return output.ToString().ReplaceLineEndings("\n");
    }

    private static void Write(StringBuilder output, string paragraph, bool isCode)
    {
        if (isCode)
        {
            output.Append(string.Concat(paragraph.Split('\n').Select(l => $"    {l}\n")));
            return;
        }
        var (indent, line) = (paragraph.StartsWith("- ", StringComparison.Ordinal) ? "      " : "    ", new StringBuilder("   "));
        foreach (var word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length + 1 + word.Length > Width && line.Length > indent.Length)
            {
                output.Append(line).Append('\n');
                line = new StringBuilder(indent[1..]);
            }
            line.Append(' ').Append(word);
        }
        output.Append(line).Append('\n');
    }
}
