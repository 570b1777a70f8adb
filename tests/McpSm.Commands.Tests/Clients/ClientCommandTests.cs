using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Clients;

public sealed class ClientCommandTests : IAsyncLifetime
{
    private readonly InProcessCli _mcpsm = new();
    private readonly string _home = Directory.CreateTempSubdirectory("mcpsm-home-").FullName;

    private string Executable => Path.Combine(_home, "bin", OperatingSystem.IsWindows() ? "mcpsm.exe" : "mcpsm");

    private string Cursor => Path.Combine(_home, ".cursor", "mcp.json");

    public async ValueTask InitializeAsync()
    {
        _mcpsm.Variables["HOME"] = _home;
        _mcpsm.Variables["PATH"] = Path.Combine(_home, "bin");
        Directory.CreateDirectory(Path.GetDirectoryName(Executable)!);
        await File.WriteAllTextAsync(Executable, "", Cancellation);
        Directory.CreateDirectory(Path.GetDirectoryName(Cursor)!);
        await _mcpsm.AddAsync(new Uri("https://example.com/mcp"));
        await _mcpsm.AddAsync(new Uri("https://other.example/mcp"), "other");
    }

    public ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        Directory.Delete(_home, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Added_server_is_listed_and_removed_again()
    {
        Assert.Contains("was added to Cursor", (await _mcpsm.RunAsync("client add cursor my-api other")).Done().Out, StringComparison.Ordinal);
        Assert.Contains("is up to date in Cursor", (await _mcpsm.RunAsync("client add cursor my-api")).Done().Out, StringComparison.Ordinal);
        var list = (await _mcpsm.RunAsync("client list")).Done();
        Assert.Equal(list, await _mcpsm.RunAsync("client"));
        Assert.Contains("'my-api' through mcpsm", list.Out, StringComparison.Ordinal);
        Assert.Contains("was removed from", (await _mcpsm.RunAsync("client remove cursor my-api other")).Done().Out, StringComparison.Ordinal);
        Assert.False(File.Exists(Cursor));
        Assert.Contains("No entry was found.", (await _mcpsm.RunAsync("client remove cursor my-api")).Done().Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_in_json_has_stable_members()
    {
        await File.WriteAllTextAsync(Cursor, """
            {"mcpServers":{"a":{"command":"mcpsm","args":["proxy","my-api"]},"b":{"url":"https://e.com/mcp?key=s3cr3t","headers":{"X-Key":"s3cr3t"}},
            "c":{"command":"npx","args":["mcp-remote","https://e.com/sse"]},"d":{"command":"node"}}}
            """, Cancellation);
        var expected = JsonNode.Parse($$"""
            [{"client":"cursor","title":"Cursor","installed":true,"scope":"user","file":{{JsonValue.Create(Cursor).ToJsonString()}},"exists":true,"servers":[
            {"name":"a","kind":"relay","server":"my-api","plaintextSecret":false,"line":1},
            {"name":"b","kind":"remote","url":"https://e.com/mcp","plaintextSecret":true,"line":1},
            {"name":"c","kind":"mcp-remote","url":"https://e.com/sse","plaintextSecret":false,"line":2},
            {"name":"d","kind":"program","plaintextSecret":false,"line":2}]}]
            """)!;
        var listed = (await _mcpsm.RunAsync("client list --json")).Done().Out;
        Assert.Equal(expected.ToJsonString(), JsonNode.Parse(listed)!.ToJsonString());
        Assert.DoesNotContain("s3cr3t", listed + (await _mcpsm.RunAsync("client list")).Done(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_of_the_page_work()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "clients.md"), Cancellation);
        var commands = page.Split("```sh\n")[1].Split("```")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(commands.Length, 4, 20);
        foreach (var command in commands)
        {
            (await _mcpsm.RunAsync(command["mcpsm ".Length..], new TestConsole { CurrentFolder = _home })).Done();
        }
    }

    [Fact]
    public async Task Known_clients_are_listed_without_being_installed() =>
        Assert.Contains("visual-studio", (await _mcpsm.RunAsync("client list --known")).Done().Out, StringComparison.Ordinal);

    [Fact]
    public async Task All_clients_of_the_machine_get_the_server()
    {
        Directory.CreateDirectory(Path.Combine(_home, ".codex"));
        (await _mcpsm.RunAsync("client add --all my-api")).Done();
        Assert.Contains(Executable, await File.ReadAllTextAsync(Path.Combine(_home, ".codex", "config.toml"), Cancellation), StringComparison.Ordinal);
        Assert.True(File.Exists(Cursor));
    }

    [Fact]
    public async Task Failure_for_one_client_does_not_keep_the_others_from_theirs()
    {
        Directory.CreateDirectory(Path.Combine(_home, ".codex"));
        await File.WriteAllTextAsync(Path.Combine(_home, ".codex", "config.toml"), "[broken", Cancellation);
        var result = await _mcpsm.RunAsync("client add --all my-api");
        Assert.Equal(1, result.Code);
        Assert.Contains("codex: Cannot use", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Cursor));
    }

    [Fact]
    public async Task Dry_run_prints_the_difference_and_writes_nothing()
    {
        Assert.Contains("+", (await _mcpsm.RunAsync("client add cursor my-api --dry-run")).Done().Out, StringComparison.Ordinal);
        Assert.False(File.Exists(Cursor));
    }

    [Fact]
    public async Task Project_file_is_written_in_the_current_folder()
    {
        (await _mcpsm.RunAsync("client add vscode my-api --project", new TestConsole { CurrentFolder = _home })).Done();
        var entry = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_home, ".vscode", "mcp.json"), Cancellation))!["servers"]!["my-api"]!;
        Assert.Equal("mcpsm", (string?)entry["command"]);
    }

    [Fact]
    public async Task Sync_repairs_the_path_of_the_executable()
    {
        await File.WriteAllTextAsync(Cursor, """{"mcpServers":{"a":{"command":"/old/mcpsm","args":["proxy","my-api"]}}}""", Cancellation);
        Assert.Contains("was updated in", (await _mcpsm.RunAsync("client sync")).Done().Out, StringComparison.Ordinal);
        Assert.Equal(Executable, (string?)JsonNode.Parse(await File.ReadAllTextAsync(Cursor, Cancellation))!["mcpServers"]!["a"]!["command"]);
    }

    [Theory]
    [InlineData("client add nosuch my-api", "The client 'nosuch' is unknown.")]
    [InlineData("client add cursor", "The command needs a client and a server.")]
    [InlineData("client add", "The command needs a client and a server.")]
    [InlineData("client add --all", "The command needs a server.")]
    [InlineData("client add cursor my-api --as http", "Cursor cannot ask a program for headers.")]
    [InlineData("client add windsurf my-api --project", "Windsurf has no configuration file in a project.")]
    [InlineData("client add cursor my-api other --name x", "A name is for one server only.")]
    [InlineData("client add cursor my-api --name a.b", "'a.b' cannot be the name of an entry.")]
    [InlineData("client remove cursor", "The command needs a client and a server.")]
    public async Task Wrong_arguments_are_one_clear_error(string command, string message)
    {
        (await _mcpsm.RunAsync(command)).Failed(2, message);
        Assert.False(File.Exists(Cursor));
    }

    [Fact]
    public async Task Unknown_server_is_an_error_that_lists_the_servers() => (await _mcpsm.RunAsync("client add cursor nosuch")).Failed(1, "my-api");

    [Fact]
    public async Task Missing_executable_is_an_error_with_advice()
    {
        File.Delete(Executable);
        (await _mcpsm.RunAsync("client add cursor my-api")).Failed(1, "The executable 'mcpsm' was not found.", "PATH");
    }
}
