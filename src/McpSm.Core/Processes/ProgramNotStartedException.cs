namespace McpSm.Core.Processes;

/// <summary>The exception for a program that could not be started.</summary>
/// <param name="reason">A predicate for the program, such as "does not exist".</param>
internal sealed class ProgramNotStartedException(string reason) : Exception(reason);
