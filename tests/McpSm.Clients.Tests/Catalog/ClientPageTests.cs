using McpSm.Clients.Catalog;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Clients.Tests.Catalog;

public class ClientPageTests
{
    public static TheoryData<string> Ids => [.. ClientCatalog.Clients.Select(client => client.Id)];

    [Theory, MemberData(nameof(Ids))]
    public void Client_has_a_line_in_the_documentation(string id)
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "clients.md"));
        Assert.Contains($"| `{id}` | {ClientCatalog.Find(id)!.Title} |", page, StringComparison.Ordinal);
    }
}
