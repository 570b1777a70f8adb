using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Commands.Proxy;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary>The options of <c>mcpsm proxy</c>, and the settings of a server that it follows.</summary>
public sealed class ProxyOptionTests : IAsyncLifetime
{
    private const string Initialize = """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}"""
        + ""","clientInfo":{"name":"test","version":"1"}}}""";
    private const string ListTools = """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""";
    private const string Secret = "s3cr3t-of-this-test";

    private readonly CliProcess _mcpsm = new();
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestMcpServer.StartAsync(new TestMcpServerOptions { AcceptedTokens = [Secret] });

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Headers_have_the_values_of_variables()
    {
        await AddAsync("--token", Secret);
        _mcpsm.Variables["TENANT"] = "acme ${HOME}";

        await InitializeAsync("--header", "X-Tenant: ${TENANT}", "--header", "x-empty=", "--header", "X-Url: https://a.example/?a=b");

        var request = _server.Traffic.To("/mcp")[^1];
        Assert.Equal("acme ${HOME}", request.Headers["X-Tenant"]);
        Assert.Equal("https://a.example/?a=b", request.Headers["X-Url"]);
        Assert.Equal("Bearer " + Secret, request.Headers["Authorization"]);
    }

    [Fact]
    public async Task Headers_of_a_file_are_sent()
    {
        await AddAsync("--token", Secret);
        var file = Path.Combine(_mcpsm.Folder, "headers.txt");
        await File.WriteAllTextAsync(file, "# for the example\r\nX-Custom: custom value\r\n\r\n  X-Other:${OTHER}\n", Cancellation);
        _mcpsm.Variables["OTHER"] = "1";

        await InitializeAsync("--header-file", file);

        Assert.Equal("custom value", _server.Traffic.To("/mcp")[^1].Headers["X-Custom"]);
        Assert.Equal("1", _server.Traffic.To("/mcp")[^1].Headers["X-Other"]);
    }

    [Theory]
    [InlineData("no header at all", "line 1")]
    [InlineData("X-A: ${NOT_SET}", "'NOT_SET'")]
    [InlineData("X-A: über", "printable ASCII")]
    [InlineData("X A: b", "name that cannot be sent")]
    public async Task Header_that_cannot_be_sent_is_an_error_of_the_command(string line, string expected)
    {
        await AddAsync("--token", Secret);
        var file = Path.Combine(_mcpsm.Folder, "headers.txt");
        await File.WriteAllTextAsync(file, line, Cancellation);

        (await _mcpsm.RunAsync(["proxy", "my-api", "--header-file", file])).Failed(2, expected);
        Assert.Empty(_server.Traffic.Requests);
    }

    [Fact]
    public async Task Missing_file_with_headers_is_an_error_of_the_command()
    {
        await AddAsync();
        (await _mcpsm.RunAsync(["proxy", "my-api", "--header-file", Path.Combine(_mcpsm.Folder, "missing")])).Failed(2, "it does not exist");
    }

    [Fact]
    public async Task Authorization_header_takes_the_place_of_a_sign_in()
    {
        await AddAsync();
        _mcpsm.Variables["AUTH"] = "Bearer " + Secret;

        var answer = await InitializeAsync("--header", "Authorization:${AUTH}");

        Assert.NotNull(answer["result"]);
        Assert.All(_server.Traffic.Requests, request => Assert.Equal("/mcp", request.Path));
    }

    [Fact]
    public async Task Refused_Authorization_header_starts_no_sign_in()
    {
        await AddAsync();

        var error = (await InitializeAsync("--header", "Authorization: Bearer wrong"))["error"]!;

        Assert.Equal("TokenRejected", (string?)error["data"]!["reason"]);
        Assert.Contains("refused the Authorization header", (string?)error["message"]);
        Assert.DoesNotContain("auth login", error.ToJsonString());
        Assert.All(_server.Traffic.Requests, request => Assert.Equal("/mcp", request.Path));
    }

    [Fact]
    public async Task Headers_are_not_sent_over_plain_http_to_another_machine()
    {
        (await _mcpsm.RunAsync("add plain --type http --url http://mcp.example/mcp")).Done();
        (await _mcpsm.RunAsync(["proxy", "plain", "--header", "X-Key: " + Secret])).Failed(1, "plain http");
    }

    [Fact]
    public async Task Url_of_an_unknown_server_is_added_once()
    {
        _server.Open = true;
        foreach (var _ in Enumerable.Range(0, 2))
        {
            Assert.NotNull((await InitializeAsync(_server.McpUrl.OriginalString, []))["result"]);
        }
        Assert.Single(JsonNode.Parse((await _mcpsm.RunAsync("list --json")).Done().Out)!.AsArray());
    }

    [Fact]
    public async Task Url_of_a_known_server_uses_its_credential()
    {
        await AddAsync("--token", Secret);
        Assert.NotNull((await InitializeAsync(_server.McpUrl.OriginalString, []))["result"]);
    }

    [Fact]
    public async Task Tools_of_setting_and_option_are_left_out()
    {
        await AddAsync("--token", Secret, "--allow-tool", "f*");
        Assert.Equal("first", await ListToolsAsync());
        Assert.Equal("", await ListToolsAsync("--ignore-tool", "FI*"));

        (await _mcpsm.RunAsync(["server", "update", "my-api", "--allow-tool", ""])).Done();
        Assert.Equal("first second", await ListToolsAsync());
        (await _mcpsm.RunAsync(["server", "update", "my-api", "--ignore-tool", "other,SEC*"])).Done();
        Assert.Equal("first", await ListToolsAsync());
    }

    [Fact]
    public async Task Log_file_has_each_exchange_and_no_secret()
    {
        await AddAsync("--token", Secret, "--header", "x-key=" + Secret);
        var log = Path.Combine(_mcpsm.Folder, "relay.log");

        await InitializeAsync("--log-file", log, "--header", "X-Other: " + Secret);

        var text = await File.ReadAllTextAsync(log, Cancellation);
        Assert.Contains("POST /mcp: 200", text);
        Assert.DoesNotContain(Secret, text);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(log));
        }
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("missing/relay.log")]
    [InlineData("/dev/full")]
    [InlineData("link")]
    public async Task Log_that_cannot_be_written_does_not_stop_the_relay(string name)
    {
        await AddAsync("--token", Secret);
        Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "folder"));
        File.CreateSymbolicLink(Path.Combine(_mcpsm.Folder, "link"), Path.Combine(_mcpsm.Folder, "target"));

        Assert.NotNull((await InitializeAsync("--log-file", Path.Combine(_mcpsm.Folder, name)))["result"]);
        Assert.False(File.Exists(Path.Combine(_mcpsm.Folder, "target")));
    }

    [Fact]
    public async Task Log_is_bounded_and_keeps_the_lines_before()
    {
        var path = Path.Combine(_mcpsm.Folder, "relay.log");
        await File.WriteAllBytesAsync(path, new byte[LogFile.MaxBytes], Cancellation);
        var warnings = new List<string>();

        await using (var log = new LogFile(path, TimeProvider.System, warnings.Add))
        {
            log.Write("last line\nof the first file");
        }
        await using (var log = new LogFile(path, TimeProvider.System, warnings.Add))
        {
            log.Write("first line");
        }

        Assert.Contains("last line", await File.ReadAllTextAsync(path + ".1", Cancellation));
        Assert.EndsWith(" first line\n", await File.ReadAllTextAsync(path, Cancellation));
        Assert.Single(await File.ReadAllLinesAsync(path, Cancellation));
        Assert.Empty(warnings);
    }

    [Fact]
    public async Task Log_takes_more_lines_than_the_disk_without_waiting()
    {
        var path = Path.Combine(_mcpsm.Folder, "folder");
        Directory.CreateDirectory(path);
        var warnings = new List<string>();

        await using (var log = new LogFile(path, TimeProvider.System, warnings.Add))
        {
            for (var i = 0; i < 100_000; i++)
            {
                log.Write("line");
            }
        }

        Assert.Single(warnings);
    }

    private async Task AddAsync(params string[] options) =>
        (await _mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", _server.McpUrl.OriginalString, .. options])).Done();

    private async Task<string> ListToolsAsync(params string[] options)
    {
        using var relay = _mcpsm.Start(["proxy", "my-api", .. options]);
        await AskAsync(relay, Initialize);
        var answer = await AskAsync(relay, ListTools);
        await EndAsync(relay);
        return string.Join(' ', answer["result"]!["tools"]!.AsArray().Select(tool => (string?)tool!["name"]));
    }

    private Task<JsonNode> InitializeAsync(params string[] options) => InitializeAsync("my-api", options);

    private async Task<JsonNode> InitializeAsync(string server, string[] options)
    {
        using var relay = _mcpsm.Start(["proxy", server, .. options]);
        var answer = await AskAsync(relay, Initialize);
        await EndAsync(relay);
        return answer;
    }

    private static async Task<JsonNode> AskAsync(Process relay, string message)
    {
        await relay.StandardInput.WriteLineAsync(message);
        var line = await relay.StandardOutput.ReadLineAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        return JsonNode.Parse(line ?? throw new InvalidOperationException(await relay.StandardError.ReadToEndAsync(Cancellation)))!;
    }

    private static async Task EndAsync(Process relay)
    {
        relay.StandardInput.Close();
        await relay.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        Assert.Equal(0, relay.ExitCode);
    }
}
