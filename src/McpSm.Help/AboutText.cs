using System.Text;
using Markdig.Syntax;

namespace McpSm.Help;

/// <summary>A page <c>about_…</c> as the text that <c>Get-Help</c> shows.</summary>
internal static class AboutText
{
    private const int Width = 80;

    /// <exception cref="FormatException">It has not the form of such a page.</exception>
    public static string Of(string name, string text)
    {
        if (MarkdownSection.Split(MarkdownText.Parse(text), 1) is not [var page] || page.Heading != name)
        {
            throw new FormatException($"a page has one heading of level 1, here '{name}'.");
        }
        var sections = MarkdownSection.Split(page.Blocks, 2);
        if (sections is not [{ Heading: "SHORT DESCRIPTION" } brief, ..] || brief.Paragraphs is not [{ Length: <= Width - 4 } synopsis])
        {
            throw new FormatException("its first part is the SHORT DESCRIPTION, one line.");
        }
        // PowerShell takes the fifth line for the synopsis.
        var written = new StringBuilder($"TOPIC\n    {name}\n\nSHORT DESCRIPTION\n    {synopsis}\n");
        foreach (var section in sections.Skip(1))
        {
            written.Append('\n').Append(section.Heading.ToUpperInvariant()).Append('\n');
            foreach (var block in section.Blocks)
            {
                if (block is HeadingBlock heading)
                {
                    written.Append($"\n  {MarkdownText.Text(heading.Inline)}\n");
                    continue;
                }
                foreach (var paragraph in MarkdownText.Paragraphs([block]))
                {
                    Write(written, paragraph, block is FencedCodeBlock);
                }
                written.Append('\n');
            }
            written.Length--;
        }
        return written.ToString().ReplaceLineEndings("\n");
    }

    private static void Write(StringBuilder written, string paragraph, bool asItIs)
    {
        if (asItIs)
        {
            written.Append(string.Concat(paragraph.Split('\n').Select(l => $"    {l}\n")));
            return;
        }
        var (indent, line) = (paragraph.StartsWith("- ", StringComparison.Ordinal) ? "      " : "    ", new StringBuilder("   "));
        foreach (var word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length + 1 + word.Length > Width && line.Length > indent.Length)
            {
                written.Append(line).Append('\n');
                line = new StringBuilder(indent[1..]);
            }
            line.Append(' ').Append(word);
        }
        written.Append(line).Append('\n');
    }
}
