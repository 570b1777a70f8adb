using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Output;

/// <summary>Tests of <c>--verbose</c> and <c>--quiet</c>.</summary>
public sealed class VerbosityTests
{
    [Fact]
    public async Task Verbose_sign_in_prints_every_url_and_no_secret()
    {
        await using var issuer = await TestIssuer.StartAsync(new() { TokenEndpointAuthMethods = ["client_secret_basic"] });
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var output = (await mcpsm.LoginAsync("my-api", "--verbose")).Done().Error;
        output += (await mcpsm.RunAsync("auth refresh my-api -v")).Done().Error;
        output += (await mcpsm.RunAsync("-v auth logout my-api -f")).Done().Error;
        foreach (var request in issuer.Traffic.Requests.Where(r => r.Path is not ("/authorize" or "/consent")))
        {
            Assert.Contains($"{request.Method} {issuer.Issuer}{request.Path}: {request.StatusCode}", output);
        }
        Assert.Contains($"POST {server.McpUrl}: 401", output);
        Assert.Contains("The client is registered just now", output);
        Assert.Contains("The credential is stored in the vault 'file'", output);
        var secrets = issuer.Server.IssuedTokens.Select(t => t.Value).Concat(issuer.Server.Clients.Select(c => c.ClientSecret))
            .Concat(issuer.Traffic.To("/token").SelectMany(r => new[] { r.FormValue("code"), r.FormValue("code_verifier") })).OfType<string>().ToList();
        Assert.True(secrets.Count > 5);
        Assert.All(secrets, secret => Assert.False(output.Contains(secret), "the output contains a secret"));
    }

    [Fact]
    public async Task Sign_in_without_verbose_prints_no_steps()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        Assert.DoesNotContain("POST ", (await mcpsm.LoginAsync()).Done().Error);
    }

    [Fact]
    public async Task Quiet_sign_in_prints_only_the_result_and_the_url()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        var added = (await mcpsm.RunAsync(["add", "my-api", "--url", server.McpUrl.AbsoluteUri, "--type", "http", "--quiet"])).Done();
        Assert.Equal(("", ""), (added.Out, added.Error));
        var login = (await mcpsm.LoginAsync("my-api", "-q")).Done();
        Assert.Equal("", login.Out);
        Assert.StartsWith("http", Assert.Single(login.Error.Trim().Split('\n')));
        var status = (await mcpsm.RunAsync("auth status -q")).Done();
        Assert.Contains("Authenticated", status.Out);
        Assert.Equal("", status.Error);
        Assert.Contains("was not found", (await mcpsm.RunAsync("auth token other -q")).Error);
    }
}
