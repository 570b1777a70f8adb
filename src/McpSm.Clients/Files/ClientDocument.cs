using McpSm.Clients.Editing;

namespace McpSm.Clients.Files;

/// <summary>A configuration file of a client, and where its servers are.</summary>
/// <param name="Path">The absolute path.</param>
/// <param name="Format">The language of the file.</param>
/// <param name="Container">The place of the servers.</param>
internal sealed record ClientDocument(string Path, ConfigurationFormat Format, ServerContainer Container);
