using System.Text.Json.Nodes;

namespace McpSm.Clients.Editing;

/// <summary>A server in a document.</summary>
/// <param name="Name">The name: the key in a map, the member <c>name</c> in a list.</param>
/// <param name="Value">The value; in a list with its <c>name</c>.</param>
/// <param name="Line">The line of the entry, from 1.</param>
internal sealed record ConfiguredServer(string Name, JsonNode? Value, int Line);
