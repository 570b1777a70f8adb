using McpSm.Clients.Catalog;
using McpSm.Clients.Files;

namespace McpSm.Clients.Management;

/// <summary>A file of a client on this machine. It may not exist yet.</summary>
/// <param name="Client">The client.</param>
/// <param name="Scope">Whether it is the user's file or the project's.</param>
/// <param name="Path">The absolute path.</param>
internal sealed record ClientLocation(ClientDefinition Client, ClientScope Scope, string Path)
{
    /// <summary>The file, and where its servers are.</summary>
    public ClientDocument Document => new(Path, Client.Format, Client.Container);
}
