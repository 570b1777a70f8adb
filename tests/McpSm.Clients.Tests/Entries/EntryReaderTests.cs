using System.Text.Json.Nodes;
using McpSm.Clients.Entries;
using Xunit;

namespace McpSm.Clients.Tests.Entries;

public class EntryReaderTests
{
    [Theory]
    [InlineData("""{"command":"/x/mcpsm","args":["proxy","my-api"]}""", "Relay", "my-api", null)]
    [InlineData("""{"command":"mcpsm","args":["proxy","--sign-in","my-api"]}""", "Relay", "my-api", null)]
    [InlineData("""{"command":"C:\\Program Files\\MCPSM.EXE","args":["proxy","a"]}""", "Relay", "a", null)]
    [InlineData("""{"command":"wsl","args":["/x/mcpsm","proxy","a"]}""", "Relay", "a", null)]
    [InlineData("""{"command":["mcpsm","proxy","a"],"type":"local"}""", "Relay", "a", null)]
    [InlineData("""{"cmd":"mcpsm","args":["proxy","a"]}""", "Relay", "a", null)]
    [InlineData("""{"command":"mcpsm","args":["auth","status"]}""", "Program", null, null)]
    [InlineData("""{"command":"mcpsm-other","args":["proxy","a"]}""", "Program", null, null)]
    [InlineData("""{"command":"npx","args":["-y","mcp-remote","https://e.com/mcp"]}""", "McpRemote", null, "https://e.com/mcp")]
    [InlineData("""{"command":"npx","args":["mcp-remote@0.15.1","https://e.com/sse","9696"]}""", "McpRemote", null, "https://e.com/sse")]
    [InlineData("""{"command":"cmd","args":["/c","npx","mcp-remote@latest","https://e.com/mcp"]}""", "McpRemote", null, "https://e.com/mcp")]
    [InlineData("""{"command":"/usr/lib/node_modules/.bin/mcp-remote","args":["https://e.com/mcp"]}""", "McpRemote", null, "https://e.com/mcp")]
    [InlineData("""{"command":"npx","args":["-y","other","https://e.com"]}""", "Program", null, null)]
    [InlineData("""{"url":"https://e.com/mcp"}""", "Remote", null, "https://e.com/mcp")]
    [InlineData("""{"serverUrl":"https://e.com/mcp"}""", "Remote", null, "https://e.com/mcp")]
    [InlineData("""{"httpUrl":"https://e.com/mcp"}""", "Remote", null, "https://e.com/mcp")]
    [InlineData("""{"uri":"https://e.com/mcp","type":"streamable_http"}""", "Remote", null, "https://e.com/mcp")]
    [InlineData("""{"url":"https://e.com/mcp","headersHelper":"/x/mcpsm auth token a --json"}""", "Helper", "a", "https://e.com/mcp")]
    [InlineData("""{"url":"https://e.com/mcp","http_headers_helper":"other"}""", "Remote", null, "https://e.com/mcp")]
    [InlineData("{}", "Unknown", null, null)]
    [InlineData("""{"command":7,"args":"x","url":[]}""", "Unknown", null, null)]
    [InlineData("[1]", "Unknown", null, null)]
    public void Entry_is_recognised(string json, string kind, string? server, string? url)
    {
        var entry = EntryReader.Read(new("n", JsonNode.Parse(json), 1));
        Assert.Equal((kind, server, url), (entry.Kind.ToString(), entry.Server, entry.Url));
    }

    [Theory]
    [InlineData("""{"url":"https://e.com","headers":{"Authorization":"Bearer abc"}}""", "Authorization")]
    [InlineData("""{"url":"https://e.com","http_headers":{"X-Api-Key":"abc","Accept":"x"}}""", "X-Api-Key")]
    [InlineData("""{"url":"https://e.com","bearer_token":"abc"}""", "Authorization")]
    [InlineData("""{"url":"https://e.com","headers":{"Authorization":"Bearer ${TOKEN:-abc}"}}""", "Authorization")]
    [InlineData("""{"command":"npx","args":["mcp-remote","https://e.com","--header","Authorization:${H}"],"env":{"H":"Bearer abc"}}""", "Authorization")]
    [InlineData("""{"url":"https://e.com","headers":{"Authorization":"Bearer ${TOKEN}"}}""", null)]
    [InlineData("""{"url":"https://e.com","headers":{"Authorization":"${input:token}","x-key":"{env:KEY}","api-key":"%KEY%"}}""", null)]
    [InlineData("""{"url":"https://e.com","headers":{"Authorization":"Bearer ${{ secrets.X }}","X-Token":"$TOKEN","X-Auth":" "}}""", null)]
    [InlineData("""{"url":"https://e.com","headers":{"Accept":"application/json"}}""", null)]
    public void Plaintext_secret_is_found(string json, string? header) =>
        Assert.Equal(header is null ? [] : [header], EntryReader.Read(new("n", JsonNode.Parse(json), 1)).SecretHeaders);

    [Theory]
    [InlineData("https://user:pass@e.com/mcp", true)]
    [InlineData("https://e.com/mcp?api_key=abc", true)]
    [InlineData("https://e.com/mcp?api_key=${KEY}", false)]
    [InlineData("https://e.com/mcp?api_key=", false)]
    [InlineData("https://e.com/mcp?page=1", false)]
    public void Secret_in_a_URL_is_found(string url, bool expected) =>
        Assert.Equal(expected, EntryReader.Read(new("n", new JsonObject { ["url"] = url }, 1)).HasPlaintextSecret);

    [Fact]
    public void Text_of_an_entry_has_no_secret()
    {
        var secret = JsonNode.Parse("""{"url":"https://e.com?token=abc","headers":{"Authorization":"abc"}}""");
        Assert.Equal("n (Remote)", EntryReader.Read(new("n", secret, 1)).ToString());
    }
}
