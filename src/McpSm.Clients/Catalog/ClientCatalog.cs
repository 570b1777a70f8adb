using System.Text.Json;

namespace McpSm.Clients.Catalog;

/// <summary>The MCP clients that Mcpsm knows.</summary>
internal static class ClientCatalog
{
    private static readonly Lazy<ClientList> Document = new(Read);

    public static IReadOnlyList<ClientDefinition> Clients => Document.Value.Clients;

    public static ClientDefinition? Find(string id) => Clients.FirstOrDefault(client => client.Id.Equals(id, StringComparison.OrdinalIgnoreCase));

    public static System.Text.Json.Nodes.JsonObject GetForm(string name) => Document.Value.Forms[name];

    private static ClientList Read()
    {
        using var data = typeof(ClientCatalog).Assembly.GetManifestResourceStream("clients.json")!;
        return JsonSerializer.Deserialize(data, ClientJsonContext.Default.ClientList)!;
    }
}
