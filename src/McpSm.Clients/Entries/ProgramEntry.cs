namespace McpSm.Clients.Entries;

/// <summary>A server that a client starts as a program.</summary>
/// <param name="Command">The program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Environment variables that it gets beside those of the client.</param>
internal sealed record ProgramEntry(string Command, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment);
