namespace McpSm.Clients.Management;

/// <summary>A change of one entry in a client's file.</summary>
/// <param name="Location">The file.</param>
/// <param name="Name">The name of the entry.</param>
/// <param name="Server">The id of the server.</param>
/// <param name="Action">What happened, or would happen.</param>
/// <param name="Diff">The lines of the file that differ, without secrets; empty if the file stays as it is.</param>
internal sealed record ClientChange(ClientLocation Location, string Name, string Server, ClientAction Action, string Diff);
