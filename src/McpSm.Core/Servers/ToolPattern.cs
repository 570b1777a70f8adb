using McpSm.Core.Errors;

namespace McpSm.Core.Servers;

/// <summary>A pattern for names of tools: <c>*</c> stands for any characters, and case does not matter, as in <c>mcp-remote</c>.</summary>
internal static class ToolPattern
{
    private const int MaxLength = 256;
    private const int MaxCount = 1000;

    /// <summary>Whether the name matches one of the patterns.</summary>
    public static bool IsMatch(IEnumerable<string> patterns, string name) => patterns.Any(pattern => IsMatch(pattern, name));

    public static bool IsMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        var (at, next) = (0, 0);
        var (star, retry) = (-1, 0);
        while (next < name.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                // Try the shortest match first, and come back for a longer one.
                (star, retry) = (at++, next);
            }
            else if (at < pattern.Length && char.ToUpperInvariant(pattern[at]) == char.ToUpperInvariant(name[next]))
            {
                at++;
                next++;
            }
            else if (star >= 0)
            {
                (at, next) = (star + 1, ++retry);
            }
            else
            {
                return false;
            }
        }
        return pattern[at..].Trim('*').IsEmpty;
    }

    /// <summary>Returns the patterns, of which one text may have several, with commas between them. Empty ones are left out.</summary>
    public static IReadOnlyList<string>? Split(IEnumerable<string>? patterns) => patterns is null ? null
        : [.. patterns.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

    /// <exception cref="McpAuthException">InvalidValue: a pattern cannot be the name of a tool.</exception>
    public static void Check(IReadOnlyList<string>? patterns)
    {
        if (patterns?.Count > MaxCount)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"There are more than {MaxCount:N0} patterns for tools.");
        }
        if (patterns?.Any(pattern => pattern.Length > MaxLength || pattern.Any(char.IsControl)) == true)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"A pattern for tools must have at most {MaxLength} characters and no control characters.",
                "Give the name of a tool, such as delete_file, or a pattern, such as delete*.");
        }
    }
}
