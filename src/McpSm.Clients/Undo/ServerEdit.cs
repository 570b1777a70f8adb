using System.Text.Json.Nodes;

namespace McpSm.Clients.Undo;

/// <summary>A change of one server in a configuration file.</summary>
/// <param name="Name">The name of the server.</param>
/// <param name="Value">The value to add or set; null to remove the server.</param>
internal sealed record ServerEdit(string Name, JsonObject? Value);
