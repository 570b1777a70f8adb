using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Proxy;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Documentation;

/// <summary>Tests that run the examples of docs/other-tools.md. Only the addresses are replaced, with servers on loopback.</summary>
public sealed partial class DocumentedToolTests : IAsyncLifetime
{
    private const string Secret = "job-secret-0123456789";

    private const string Initialize = """
        {"jsonrpc":"2.0","id":1,"method":"initialize",
        "params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"me","version":"1"}}}
        """;

    private readonly CliProcess _mcpsm = new();
    private AuthorizationServer _issuer = null!;
    private ProtectedMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The examples need a Unix shell.");
        Require.Programs("bash", "curl");
        _issuer = await AuthorizationServer.StartAsync(new() { PreRegisteredClients = [new RegisteredClient("job", Secret, [], "client_secret_basic")] });
        _server = await ProtectedMcpServer.StartAsync(_issuer);
        _mcpsm.Variables["HOME"] = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "home")).FullName;
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_issuer?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [Fact]
    public async Task Curl_opens_a_session_with_a_header_outside_the_command_line()
    {
        await SignInAsync();
        Assert.Contains("\"serverInfo\":{", (await BashAsync(Example("curl", "sh"))).Done().Out);
    }

    [Fact]
    public async Task Configured_program_relays_a_client_to_the_server()
    {
        await SignInAsync();
        var configured = JsonNode.Parse(Example("An MCP client that starts a program", "json"))!["mcpServers"]!["my-api"]!;
        Assert.Equal("mcpsm", (string?)configured["command"]);
        using var relay = _mcpsm.Start([.. configured["args"]!.AsArray().Select(argument => (string)argument!)]);
        await relay.StandardInput.WriteLineAsync(Initialize.ReplaceLineEndings(""));
        var answer = JsonNode.Parse((await relay.StandardOutput.ReadLineAsync(Cancellation))!)!;
        relay.StandardInput.Close();
        await relay.WaitForExitAsync(Cancellation);
        Assert.NotNull(answer["result"]!["serverInfo"]);
    }

    [Fact]
    public async Task Configured_URL_leads_a_client_through_the_proxy()
    {
        await SignInAsync();
        var configured = JsonNode.Parse(Example("An MCP client that connects to a URL", "json"))!["mcpServers"]!["my-api"]!;
        var url = new Uri((string)configured["url"]!);
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, $"proxy my-api --http --port {url.Port}");
        Assert.Equal(url, proxy.Url);
        var token = (await BashAsync("printf %s \"$(mcpsm proxy my-api --http --show-token)\"")).Done().Out;
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(Initialize, Encoding.UTF8, "application/json") };
        request.Headers.Add("Accept", "application/json, text/event-stream");
        request.Headers.Add("Authorization", ((string)configured["headers"]!["Authorization"]!).Replace("${MY_API_BEARER}", token));
        using var answer = await client.SendAsync(request, Cancellation);
        Assert.Contains("\"serverInfo\":{", await answer.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Header_helper_prints_one_object_that_the_server_accepts()
    {
        await SignInAsync();
        var configured = JsonNode.Parse(Example("An MCP client with a header helper", "json"))!["mcpServers"]!["my-api"]!;
        Assert.Equal(_server.McpUrl.AbsoluteUri, (string?)configured["url"]);
        // Claude Code runs the line in a shell and reads a JSON object of strings from its standard output.
        var ended = (await _mcpsm.RunProgramAsync("sh", "-c", (string)configured["headersHelper"]!)).Done();
        var headers = JsonNode.Parse(ended.Out)!.AsObject();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, (string)configured["url"]!)
        {
            Content = new StringContent(Initialize, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Accept", "application/json, text/event-stream");
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, (string)value!);
        }
        using var answer = await client.SendAsync(request, Cancellation);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
    }

    [Fact]
    public async Task Actions_job_steps_run_in_an_empty_home()
    {
        var job = Example("A CI job", "yaml");
        // Only the variables of the job; Actions sets CI.
        Assert.Equal(["MCPSM_CLIENT_ID", "MCPSM_CLIENT_SECRET", "MCPSM_VAULT"],
            Variable().Matches(job[job.IndexOf("env:", StringComparison.Ordinal)..]).Select(m => m.Groups[1].Value));
        foreach (var name in new[] { "MCPSM_INTERACTIVE", "DISPLAY", "MCP_MANAGER_CONFIG_DIR" })
        {
            _mcpsm.Variables[name] = null;
        }
        _mcpsm.Variables["CI"] = "true";
        _mcpsm.Variables["MCPSM_CLIENT_ID"] = "job";
        _mcpsm.Variables["MCPSM_CLIENT_SECRET"] = Secret;
        var lines = job.Split('\n');
        var run = Array.FindIndex(lines, l => l.Trim() == "- run: |") + 1;
        var steps = lines[run..].TakeWhile(l => l.StartsWith("          ", StringComparison.Ordinal)).Select(l => l[10..]);
        var ended = (await BashAsync(string.Join('\n', steps))).Done();
        Assert.Contains("✔ Signed in to 'my-api'", ended.Out);
        Assert.Contains("\"serverInfo\":{", ended.Out);
        Assert.DoesNotContain(_issuer.IssuedTokens[^1].Value, ended.Out + ended.Error);
        Assert.True(File.Exists(Path.Combine(_mcpsm.Variables["HOME"]!, ".mcp-manager", "credentials.enc")));
    }

    [Fact]
    public async Task Systemd_unit_is_well_formed()
    {
        Require.Programs("systemd-analyze");
        var unit = Path.Combine(_mcpsm.Folder, "reporter.service");
        await File.WriteAllTextAsync(unit, Example("A service of systemd", "ini"), Cancellation);
        var ended = (await _mcpsm.RunProgramAsync("systemd-analyze", "verify", unit)).Done();
        Assert.DoesNotContain("reporter.service", ended.Out + ended.Error);
    }

    [Fact]
    public async Task Systemd_service_gets_a_token_with_the_passphrase_of_the_sign_in()
    {
        var state = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "state", "reporter")).FullName;
        var credentials = Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, "credentials")).FullName;
        await File.WriteAllTextAsync(Path.Combine(credentials, "mcpsm-passphrase"), "the passphrase", Cancellation);
        _mcpsm.Variables["MCP_MANAGER_CONFIG_DIR"] = _mcpsm.Variables["MCPSM_VAULT"] = null;

        // Runs the command of sudo as that user, and types the passphrase.
        var typed = Example("A service of systemd", "sh").Replace("sudo -u reporter ", "").Replace("/var/lib/reporter", state);
        (await BashAsync(typed, "the passphrase\n")).Done();
        Assert.False(File.Exists(Path.Combine(state, "credentials.key")));

        var unit = Example("A service of systemd", "ini").Split('\n').Where(l => l.Contains('='))
            .ToDictionary(l => l.Split('=')[0], l => l[(l.IndexOf('=') + 1)..]);
        foreach (var pair in unit["Environment"].Replace("%S", Path.GetDirectoryName(state)!).Split(' '))
        {
            _mcpsm.Variables[pair.Split('=')[0]] = pair[(pair.IndexOf('=') + 1)..];
        }
        _mcpsm.Variables["CREDENTIALS_DIRECTORY"] = credentials;
        var reporter = Path.Combine(_mcpsm.Folder, "bin", "reporter");
        await File.WriteAllTextAsync(reporter, "#!/bin/sh\nexec mcpsm auth token my-api\n", Cancellation);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(reporter, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
        var ended = (await BashAsync(unit["ExecStart"])).Done();
        Assert.True(_issuer.Introspect(ended.Out.TrimEnd()) is { Active: true });

        await File.WriteAllTextAsync(Path.Combine(credentials, "mcpsm-passphrase"), "another", Cancellation);
        Assert.Equal(1, (await BashAsync(unit["ExecStart"])).Code);
    }

    [Fact]
    public async Task Curl_with_a_bound_token_opens_a_session_with_the_nonce()
    {
        await using var issuer = await TestIssuer.StartAsync(new() { SupportsDPoP = true });
        await using var server = await TestMcpServer.StartAsync(issuer);
        server.DPoP = new DPoPProofs(TimeProvider.System, requireNonce: true);
        (await _mcpsm.RunAsync($"add my-api --type http --url {server.McpUrl}")).Done();
        (await _mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0")).Done();
        _mcpsm.CurrentFolder = _mcpsm.Folder;
        var typed = Example("A token that is bound to a key", "sh").Replace(_server.McpUrl.AbsoluteUri, server.McpUrl.AbsoluteUri);
        Assert.Contains("\"serverInfo\":{", (await BashAsync(typed)).Done().Out);
        // The first request was refused because its proof had no nonce.
        Assert.Contains(server.Traffic.Requests, r => r.StatusCode == 401 && r.Header("DPoP") is not null);
    }

    [Fact]
    public async Task Curl_of_the_readme_opens_a_session()
    {
        await SignInAsync();
        Assert.Contains("\"serverInfo\":{", (await BashAsync(Example("Using the token", "sh", "README.md"))).Done().Out);
    }

    private async Task SignInAsync()
    {
        (await _mcpsm.RunAsync($"add my-api --type http --url {_server.McpUrl}")).Done();
        (await _mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0")).Done();
    }

    /// <summary>Starts bash with the options of GitHub Actions.</summary>
    private Task<CliResult> BashAsync(string script, string input = "") =>
        _mcpsm.RunProgramAsync(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], input);

    /// <summary>Returns the example in a language below a heading, with the addresses of the test servers.</summary>
    private string Example(string heading, string language, string file = "docs/other-tools.md")
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, file));
        var section = Regex.Match(page, $@"^## {Regex.Escape(heading)}\n(.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline).Groups[1].Value;
        var block = Regex.Match(section, $@"^```{language}\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline).Groups[1].Value;
        Assert.NotEqual("", block);
        return block.Replace("https://example.com/mcp", _server.McpUrl.AbsoluteUri).Replace("https://login.example.com", _issuer.Issuer);
    }

    [GeneratedRegex(@"^\s+(MCPSM_\w+):", RegexOptions.Multiline)]
    private static partial Regex Variable();
}
