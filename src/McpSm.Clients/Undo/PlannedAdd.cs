using System.Text.Json.Nodes;
using McpSm.Clients.Editing;

namespace McpSm.Clients.Undo;

/// <summary>An entry that an edit adds, or adds again.</summary>
internal sealed record PlannedAdd(ServerContainer Container, string Name, JsonObject Value);
