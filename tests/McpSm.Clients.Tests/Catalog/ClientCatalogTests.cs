using McpSm.Clients.Catalog;
using McpSm.Clients.Entries;
using Xunit;

namespace McpSm.Clients.Tests.Catalog;

public class ClientCatalogTests
{
    public static TheoryData<string> Ids => [.. ClientCatalog.Clients.Select(client => client.Id)];

    [Fact]
    public void Ids_are_distinct_and_in_order()
    {
        var ids = ClientCatalog.Clients.Select(client => client.Id).ToArray();
        Assert.Equal(ids.Distinct().Order(StringComparer.Ordinal), ids);
        Assert.All(ids, id => Assert.Matches("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", id));
    }

    [Theory, MemberData(nameof(Ids))]
    public void Client_writes_an_entry_that_is_read_as_the_relay(string id)
    {
        var client = ClientCatalog.Find(id)!;
        var program = new ProgramEntry("/opt/mcpsm", ["proxy", "my-api"], new Dictionary<string, string> { ["MCPSM_VAULT"] = "file" });
        foreach (var isProject in new[] { false, true })
        {
            var entry = EntryReader.Read(new("my-api", EntryForm.Create(client, "my-api", program, isProject), 1));
            Assert.Equal((EntryKind.Relay, "my-api", "/opt/mcpsm"), (entry.Kind, entry.Server, entry.Command));
            Assert.Equal(["proxy", "my-api"], entry.Arguments);
            Assert.Equal("file", entry.Environment["MCPSM_VAULT"]);
            Assert.False(entry.HasPlaintextSecret);
        }
    }

    [Theory, MemberData(nameof(Ids))]
    public void Client_has_a_full_path_on_each_system_or_a_project_file(string id)
    {
        var client = ClientCatalog.Find(id)!;
        var paths = Enum.GetValues<ClientSystem>().SelectMany(system =>
        {
            var environment = new ClientEnvironment(system, system == ClientSystem.Windows ? @"C:\Users\me" : "/home/me", _ => null);
            var expanded = client.User.Expand(environment);
            Assert.All(expanded.Concat(client.Signs?.Expand(environment) ?? []), path => Assert.StartsWith(environment.Home, path, StringComparison.Ordinal));
            return expanded;
        });
        Assert.NotEmpty(paths);
        Assert.All(client.Project, path => Assert.False(Path.IsPathRooted(path) || path.Contains("..", StringComparison.Ordinal) || path.Contains('~'), path));
    }

    [Theory]
    [InlineData("claude-code")]
    [InlineData("codex")]
    public void Client_with_a_headers_helper_writes_an_entry_that_is_read_as_one(string id)
    {
        var value = EntryForm.Create(ClientCatalog.Find(id)!,
            new HelperEntry("https://example.com/mcp", "/opt/mcpsm auth token my-api --json"), isProject: false);
        var entry = EntryReader.Read(new("x", value, 1));
        Assert.Equal((EntryKind.Helper, "my-api", "https://example.com/mcp"), (entry.Kind, entry.Server, entry.Url));
    }

    [Fact]
    public void Only_two_clients_have_a_headers_helper() =>
        Assert.Equal(["claude-code", "codex"], ClientCatalog.Clients.Where(client => client.HelperForm is not null).Select(client => client.Id));
}
