namespace McpSm.Clients.Editing;

/// <summary>The text does not parse. The message is a clause such as "a comma is missing", without a period, and repeats no text of the file.</summary>
internal sealed class ConfigurationSyntaxException(int line, int column, string problem) : Exception(problem)
{
    /// <summary>The line, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>The column, from 1, in UTF-16 code units.</summary>
    public int Column { get; } = column;
}
