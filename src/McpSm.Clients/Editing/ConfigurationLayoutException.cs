namespace McpSm.Clients.Editing;

/// <summary>
/// The text parses, but it cannot be edited or read as asked: a value on the way has another type, or the layout cannot be edited safely. The message
/// is a clause such as "'mcpServers' is a text, not a map", without a period.
/// </summary>
internal sealed class ConfigurationLayoutException(int line, string problem) : Exception(problem)
{
    /// <summary>The line of the problem, from 1.</summary>
    public int Line { get; } = line;
}
