using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using ModelContextProtocol.Client;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary><c>mcpsm proxy --http</c> as a process, with real clients and servers.</summary>
public sealed class HttpProxyCommandTests : IAsyncLifetime
{
    private const string Initialize =
        """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"""
        + """ "clientInfo":{"name":"test","version":"1"}}}""";

    private readonly CliProcess _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The tests send signals.");
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        (await _mcpsm.RunAsync($"add my-api --type http --url {_server.McpUrl}")).Done();
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
            await _issuer.DisposeAsync();
        }
    }

    [Fact]
    public async Task Client_of_the_SDK_uses_a_protected_server_through_the_proxy()
    {
        await using var issuer = await AuthorizationServer.StartAsync(new());
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        (await _mcpsm.RunAsync($"add protected --type http --url {server.McpUrl}")).Done();
        (await _mcpsm.RunAsync("auth login protected")).Done();
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy protected --http");

        await using var transport = new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = proxy.Url,
            AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = $"Bearer {proxy.Bearer}" },
        });
        await using var client = await McpClient.CreateAsync(transport, cancellationToken: Cancellation);
        var tools = await client.ListToolsAsync(cancellationToken: Cancellation);
        var result = await client.CallToolAsync("add", new Dictionary<string, object?> { ["a"] = 2, ["b"] = 3 }, cancellationToken: Cancellation);

        Assert.NotEmpty(tools);
        Assert.NotEqual(true, result.IsError);
        Assert.Equal("/protected", proxy.Url.AbsolutePath);
    }

    [Fact]
    public async Task Client_of_the_SDK_without_the_token_finds_nothing_to_sign_in_to()
    {
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http");
        var opened = false;
        await using var transport = new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = proxy.Url,
            OAuth = new()
            {
                RedirectUri = new Uri("http://127.0.0.1:1/callback"),
                AuthorizationCallbackHandler = (_, _) =>
                {
                    opened = true;
                    throw new InvalidOperationException("A browser would have opened.");
                },
            },
        });

        await Assert.ThrowsAnyAsync<Exception>(() => McpClient.CreateAsync(transport, cancellationToken: Cancellation));

        Assert.False(opened);
    }

    [Fact]
    public async Task Twenty_callers_of_an_expired_token_refresh_it_once()
    {
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        // The server forgets the token, so that the first request of each caller is refused.
        _server.Introspect = token => _issuer.Traffic.OfGrant("refresh_token").Count == 0 ? null : _issuer.Server.Introspect(token);
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http");
        using var client = proxy.CreateClient();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync(client, proxy.Url)));

        Assert.All(answers, answer => Assert.NotNull(answer["result"]));
        Assert.Single(_issuer.Traffic.OfGrant("refresh_token"));
        Assert.DoesNotContain(_server.Traffic.Requests, request => request.Header("Authorization")?.Contains(proxy.Bearer, StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Bound_token_gets_a_proof_for_the_server_and_not_for_the_proxy()
    {
        await using var issuer = await TestIssuer.StartAsync(new() { SupportsDPoP = true });
        await using var server = await TestMcpServer.StartAsync(issuer);
        server.DPoP = new DPoPProofs(TimeProvider.System, requireNonce: true);
        (await _mcpsm.RunAsync($"add bound --type http --url {server.McpUrl}")).Done();
        (await _mcpsm.RunAsync("auth login bound")).Done();
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy bound --http");
        using var client = proxy.CreateClient();

        Assert.NotNull((await AskAsync(client, proxy.Url))["result"]);
        using var answer = await client.PostAsync(proxy.Url, Json(Initialize), Cancellation);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("DPoP-Nonce"));
    }

    [Fact]
    public async Task Caller_before_the_sign_in_gets_the_command_and_then_an_answer()
    {
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http");
        using var client = proxy.CreateClient();

        using var refused = await client.PostAsync(proxy.Url, Json(Initialize), Cancellation);
        var error = JsonNode.Parse(await refused.Content.ReadAsStringAsync(Cancellation))!["error"]!;
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        var answer = await AskAsync(client, proxy.Url);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "mcpsm auth login my-api"), (refused.StatusCode, (string?)error["data"]!["command"]));
        Assert.Empty(refused.Headers.WwwAuthenticate);
        Assert.NotNull(answer["result"]);
    }

    [Fact]
    public async Task Port_and_token_stay_the_same_for_the_next_start()
    {
        (await _mcpsm.RunAsync("auth set my-api -".Split(' '), "planted-server-token")).Done();
        Uri url;
        string bearer;
        await using (var first = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http --verbose"))
        {
            (url, bearer) = (first.Url, first.Bearer);
            using var client = first.CreateClient();
            await AskAsync(client, url);
            var (_, output) = await first.EndAsync("TERM", TimeSpan.FromSeconds(2));
            Assert.Equal("", output);
            Assert.Contains("POST", first.Errors);
            Assert.All([bearer, "planted-server-token"], secret => Assert.DoesNotContain(secret, first.Errors));
        }
        await using var second = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http");

        Assert.Equal((url, bearer), (second.Url, second.Bearer));
        Assert.Equal(bearer + "\n", (await _mcpsm.RunAsync("proxy my-api --http --show-token")).Done().Out);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(second.BearerFile) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.InRange(bearer.Length, 43, 64);
        using var other = new CliProcess();
        (await other.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        Assert.NotEqual(bearer + "\n", (await other.RunAsync("proxy my-api --http --show-token")).Done().Out);
    }

    [Fact]
    public async Task Ephemeral_proxy_has_a_port_and_token_of_its_own_and_leaves_no_file()
    {
        await using var lasting = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http");
        await using var ephemeral = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http --ephemeral");

        Assert.NotEqual(lasting.Bearer, ephemeral.Bearer);
        Assert.NotEqual(lasting.Url.Port, ephemeral.Url.Port);
        using var client = lasting.CreateClient();
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.PostAsync(ephemeral.Url, Json(Initialize), Cancellation)).StatusCode);
        await ephemeral.EndAsync("INT", TimeSpan.FromSeconds(2));
        Assert.False(File.Exists(ephemeral.BearerFile));
        Assert.True(File.Exists(lasting.BearerFile));
    }

    [Fact]
    public async Task Second_proxy_of_a_server_names_the_first()
    {
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http");

        (await _mcpsm.RunAsync("proxy my-api --http")).Failed(1, "Another process already serves 'my-api'", proxy.Url.AbsoluteUri, "--ephemeral");
    }

    [Fact]
    public async Task Port_of_another_program_is_an_error_that_says_how_to_find_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        (await _mcpsm.RunAsync($"proxy my-api --http --port {port}")).Failed(1, $"Another program uses port {port}", "--port");

        Assert.False(File.Exists(Path.Combine(_mcpsm.Folder, "http", "my-api.json")));
    }

    [Fact]
    public async Task Port_of_the_user_is_kept_for_the_next_start()
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        await using (var first = await HttpProxyProcess.StartAsync(_mcpsm, $"proxy my-api --http --port {port}"))
        {
            await first.EndAsync("TERM", TimeSpan.FromSeconds(2));
        }

        await using var second = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http");

        Assert.Equal(port, second.Url.Port);
    }

    [Fact]
    public async Task Removed_server_takes_its_token_along()
    {
        await using (var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http"))
        {
            using var client = proxy.CreateClient();
            (await _mcpsm.RunAsync("remove my-api --yes")).Done();

            var status = HttpStatusCode.OK;
            for (var tried = 0; status != HttpStatusCode.NotFound && tried < 30; tried++)
            {
                // The catalog is read again after a second.
                await Task.Delay(100, Cancellation);
                using var answer = await client.PostAsync(proxy.Url, Json(Initialize), Cancellation);
                status = answer.StatusCode;
            }
            Assert.Equal(HttpStatusCode.NotFound, status);
        }
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_mcpsm.Folder, "http")));
    }

    [Fact]
    public async Task All_servers_are_served_at_their_ids_also_new_ones()
    {
        await using var second = await TestMcpServer.StartAsync(_issuer);
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy --all --http");
        using var client = proxy.CreateClient();
        var (known, added) = (new Uri(proxy.Url, "/my-api"), new Uri(proxy.Url, "/second"));

        Assert.NotNull((await AskAsync(client, known))["result"]);
        using var unknown = await client.PostAsync(added, Json(Initialize), Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        (await _mcpsm.RunAsync($"add second --type http --url {second.McpUrl}")).Done();
        (await _mcpsm.RunAsync("auth login second")).Done();
        Assert.NotNull((await AskAsync(client, added))["result"]);
        Assert.EndsWith("@all.bearer", proxy.BearerFile);
    }

    [Fact]
    public async Task Renewal_in_flight_is_kept_when_the_proxy_ends()
    {
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        var (asked, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        _server.Introspect = token => _issuer.Traffic.OfGrant("refresh_token").Count == 0 ? null : _issuer.Server.Introspect(token);
        _issuer.Faults.Before("/token", async _ =>
        {
            asked.TrySetResult();
            await release.Task;
        }, times: 1);
        await using var proxy = await HttpProxyProcess.StartAsync(_mcpsm, "proxy my-api --http");
        using var client = proxy.CreateClient();
        var call = AskAsync(client, proxy.Url);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

        var ending = proxy.EndAsync("TERM", TimeSpan.FromSeconds(10));
        await Task.Delay(500, Cancellation);
        release.SetResult();
        await ending;

        await Assert.ThrowsAnyAsync<Exception>(() => call);
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Equal(2, _issuer.Traffic.OfGrant("refresh_token").Count);
    }

    [Theory]
    [InlineData("proxy my-api --ephemeral", "--ephemeral requires --http.")]
    [InlineData("proxy my-api --allow-origin http://localhost", "--allow-origin requires --http.")]
    [InlineData("proxy --all", "--all requires --http.")]
    [InlineData("proxy --http", "needs a server or --all")]
    [InlineData("proxy my-api --all --http", "cannot be combined")]
    [InlineData("proxy my-api --http --ephemeral --show-token", "cannot be combined")]
    [InlineData("proxy my-api --http --allow-origin *", "is not an origin")]
    [InlineData("proxy my-api --http --allow-origin null", "is not an origin")]
    [InlineData("proxy my-api --http --allow-origin http://localhost/path", "is not an origin")]
    [InlineData("proxy my-api --http --port 70000", "Use a port from 0 to 65535.")]
    [InlineData("proxy", "mcpsm proxy needs <server>.")]
    public async Task Combination_without_a_meaning_is_wrong_usage(string line, string says) => (await _mcpsm.RunAsync(line)).Failed(2, says);

    [Fact]
    public async Task Program_without_a_web_server_says_so_once()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(_server.McpUrl);

        (await mcpsm.RunAsync("proxy my-api --http")).Failed(1, "contains no web server", "native executable", "omit --http");

        Assert.DoesNotContain(mcpsm.Files().Keys, file => file.StartsWith("http", StringComparison.Ordinal));
    }

    private static async Task<JsonNode> AskAsync(HttpClient client, Uri url)
    {
        using var answer = await client.PostAsync(url, Json(Initialize), Cancellation);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!;
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
}
