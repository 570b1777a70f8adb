namespace McpSm.Clients.Entries;

/// <summary>A remote server for which a program prints the headers.</summary>
/// <param name="Url">The URL of the server.</param>
/// <param name="CommandLine">The command, as a shell reads it.</param>
internal sealed record HelperEntry(string Url, string CommandLine);
