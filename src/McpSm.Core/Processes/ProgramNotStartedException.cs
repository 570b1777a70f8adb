namespace McpSm.Core.Processes;

/// <summary>A program could not be started.</summary>
/// <param name="why">Follows the program's name in a sentence, like "does not exist".</param>
public sealed class ProgramNotStartedException(string why) : Exception(why);
