using System.Text.Json.Nodes;
using McpSm.Clients.Catalog;
using McpSm.Clients.Entries;
using Xunit;

namespace McpSm.Clients.Tests.Entries;

public class EntryFormTests
{
    private static readonly ProgramEntry Program = new("/opt/mcpsm", ["proxy", "a"], new Dictionary<string, string>());

    [Theory]
    [InlineData("cursor", """{"command":"/opt/mcpsm","args":["proxy","a"]}""")]
    [InlineData("cline", """{"command":"/opt/mcpsm","args":["proxy","a"],"disabled":false}""")]
    [InlineData("vscode", """{"type":"stdio","command":"/opt/mcpsm","args":["proxy","a"]}""")]
    [InlineData("github-copilot-cli", """{"type":"stdio","command":"/opt/mcpsm","args":["proxy","a"],"tools":["*"]}""")]
    [InlineData("kimi-code", """{"transport":"stdio","command":"/opt/mcpsm","args":["proxy","a"]}""")]
    [InlineData("zed", """{"source":"custom","command":"/opt/mcpsm","args":["proxy","a"]}""")]
    [InlineData("opencode", """{"type":"local","command":["/opt/mcpsm","proxy","a"],"enabled":true}""")]
    [InlineData("goose", """{"name":"a","type":"stdio","cmd":"/opt/mcpsm","args":["proxy","a"],"enabled":true,"timeout":300}""")]
    public void Entry_has_the_form_of_its_client(string id, string expected) =>
        Assert.Equal(expected, EntryForm.Create(ClientCatalog.Find(id)!, "a", Program, isProject: false).ToJsonString());

    [Fact]
    public void Entry_in_a_project_file_has_no_members_of_the_user_file()
    {
        var entry = EntryForm.Create(ClientCatalog.Find("github-copilot-cli")!, "a", Program, isProject: true);
        Assert.DoesNotContain("tools", entry.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Update_keeps_what_the_user_added()
    {
        var existing =
            (JsonObject)JsonNode.Parse("""{"timeout":9,"disabled":true,"command":"/old/mcpsm","args":["proxy","a"],"env":{"MCPSM_VAULT":"file"}}""")!;
        var entry = EntryForm.Create(ClientCatalog.Find("cline")!, "a", Program, isProject: false, existing);
        Assert.Equal("""{"timeout":9,"disabled":true,"command":"/opt/mcpsm","args":["proxy","a"]}""", entry.ToJsonString());
        Assert.Equal("/old/mcpsm", (string?)existing["command"]);
    }
}
