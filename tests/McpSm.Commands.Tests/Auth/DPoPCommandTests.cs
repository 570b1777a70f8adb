using System.Buffers.Text;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests with a server that accepts only bound tokens (RFC 9449).</summary>
public sealed class DPoPCommandTests : IAsyncLifetime
{
    private readonly InProcessCli _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { SupportsDPoP = true, RequireDPoPNonce = true, TimeProvider = _mcpsm.Clock });
        _server = await TestMcpServer.StartAsync(_issuer);
        _server.DPoP = new DPoPProofs(_mcpsm.Clock, requireNonce: true);
        await _mcpsm.AddAsync(_server.McpUrl);
        (await _mcpsm.LoginAsync()).Done();
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Rule(35)]
    [Fact]
    public async Task Status_of_a_bound_token_has_its_type_and_the_server_accepts_it()
    {
        Assert.Equal("DPoP", (string?)(await _mcpsm.StatusAsync())["tokenType"]);
        (await _mcpsm.RunAsync("test my-api --timeout 20")).Done();
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        (await _mcpsm.RunAsync("test my-api --timeout 20")).Done();
    }

    [Rule(35)]
    [Fact]
    public async Task Bound_token_is_printed_with_a_hint_and_its_headers_with_a_proof()
    {
        var alone = (await _mcpsm.RunAsync("auth token my-api")).Done();
        Assert.Equal((1, "at_"), (alone.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, alone.Out[..3]));
        Assert.Contains("bound to a key (DPoP)", alone.Error);

        var headers = (await _mcpsm.RunAsync($"auth token my-api --header --nonce {_server.DPoP!.Nonce}")).Done();
        Assert.Equal("", headers.Error);
        Assert.Equal(200, await SendAsync(headers.Out.TrimEnd('\n').Split('\n').Select(l => l.Split(": ")).ToDictionary(l => l[0], l => l[1])));

        string[] request = ["--method", "GET", "--uri", $"{_server.McpUrl}/more?x=1", "--nonce", "n1"];
        var json = JsonNode.Parse((await _mcpsm.RunAsync(["auth", "token", "my-api", "--json", .. request])).Done().Out)!;
        Assert.Equal(["Authorization", "DPoP"], json.AsObject().Select(m => m.Key));
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(((string)json["DPoP"]!).Split('.')[1]))!;
        Assert.Equal(("GET", $"{_server.McpUrl}/more", "n1"), ((string?)claims["htm"], (string?)claims["htu"], (string?)claims["nonce"]));
    }

    [Rule(22, 35)]
    [Fact]
    public async Task Proof_for_another_server_is_refused()
    {
        var away = await _mcpsm.RunAsync("auth token my-api --header --uri https://elsewhere.example/mcp");
        Assert.Equal(("", 1), (away.Out, away.Code));
        Assert.Contains("outside the server 'my-api'", away.Error);
        (await _mcpsm.RunAsync("auth token my-api --method GET")).Failed(2, "--method, --uri and --nonce require --header or --json");
        (await _mcpsm.RunAsync("auth token my-api --json --method G=T")).Failed(2, "must be a word such as POST");
        Assert.NotEqual(0, (await _mcpsm.RunAsync("server update my-api --dpop sometimes")).Code);
    }

    private async Task<int> SendAsync(Dictionary<string, string> headers)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, _server.McpUrl);
        request.Content = new StringContent("""{"jsonrpc":"2.0","id":7,"method":"ping"}""");
        Assert.All(headers, h => Assert.True(request.Headers.TryAddWithoutValidation(h.Key, h.Value)));
        using var answer = await http.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
