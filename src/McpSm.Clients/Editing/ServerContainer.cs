namespace McpSm.Clients.Editing;

/// <summary>The place of the servers in a document.</summary>
/// <param name="Path">The keys from the root. A key may contain dots: "amp.mcpServers" is one key.</param>
/// <param name="Shape">How the container holds the servers.</param>
internal sealed record ServerContainer(IReadOnlyList<string> Path, ContainerShape Shape);
