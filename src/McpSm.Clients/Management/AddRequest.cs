using McpSm.Core.Servers;

namespace McpSm.Clients.Management;

/// <summary>What to add to a client's file.</summary>
/// <param name="Server">The server of the catalog.</param>
/// <param name="Name">The name of the entry; null for the name that the entry has, or the id of the server.</param>
/// <param name="AsHelper">Whether the client connects itself and asks Mcpsm for the headers.</param>
/// <param name="Force">Whether to replace an entry of that name that is not of this server.</param>
/// <param name="DryRun">Whether to write nothing.</param>
internal sealed record AddRequest(McpServer Server, string? Name = null, bool AsHelper = false, bool Force = false, bool DryRun = false);
