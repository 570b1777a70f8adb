using System.CommandLine;

namespace McpSm.Commands.CommandLine;

/// <summary>A command whose help ends with examples.</summary>
internal class CommandWithExamples(string name, string description) : Command(name, description)
{
    /// <summary>Command lines to copy, each with an optional comment. An example may have several lines.</summary>
    public IReadOnlyList<string> Examples { get; protected internal init; } = [];
}
