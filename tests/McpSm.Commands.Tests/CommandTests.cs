using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests;

public sealed class CommandTests
{
    [Fact]
    public async Task Commands_from_add_to_logout_work_in_sequence()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess();
        Assert.Equal(0, (await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri])).Code);
        var before = await mcpsm.RunAsync("auth status");
        Assert.Equal("Authentication Status:\n\n  my-api          ✘ Not authenticated\n", before.Out);
        Assert.Equal(4, (await mcpsm.RunAsync("auth status my-api")).Code);
        Assert.Equal(4, (await mcpsm.RunAsync("auth token my-api")).Code);

        var login = await mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0");
        Assert.True(login.Code == 0, login.Error);
        var status = JsonNode.Parse((await mcpsm.RunAsync("auth status --json")).Out)![0]!;
        Assert.Equal("Authenticated", (string?)status["state"]);
        Assert.Equal("OAuth", (string?)status["kind"]);
        Assert.Equal(issuer.Issuer, (string?)status["issuer"]);
        Assert.Contains("✔ OK (sample-server 1.0.0", (await mcpsm.RunAsync("test my-api")).Out);

        var token = (await mcpsm.RunAsync("auth token my-api")).Out.Trim();
        Assert.NotNull(issuer.Introspect(token));
        Assert.Equal(0, (await mcpsm.RunAsync("auth refresh my-api")).Code);
        var header = (await mcpsm.RunAsync("auth token my-api --header")).Out.Trim();
        Assert.StartsWith("Authorization: Bearer ", header);
        Assert.DoesNotContain(token, header);

        Assert.Equal(0, (await mcpsm.RunAsync("auth logout my-api --force")).Code);
        Assert.NotEqual(true, issuer.Introspect(header["Authorization: Bearer ".Length..])?.Active);
        Assert.Equal(4, (await mcpsm.RunAsync("auth token my-api")).Code);
        Assert.Contains("✘ Failed (401 Unauthorized)", (await mcpsm.RunAsync("test my-api")).Out);
    }

    [Fact]
    public async Task Quickstart_sequence_runs_over_https()
    {
        await using var issuer =
            await AuthorizationServer.StartAsync(new AuthorizationServerOptions { Certificate = LoopbackCertificates.Server, AutoApprove = true });
        await using var server = await ProtectedMcpServer.StartAsync(issuer, new ProtectedMcpServerOptions { Certificate = LoopbackCertificates.Server });
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "Only OpenSSL reads SSL_CERT_FILE.");
        using var mcpsm = new CliProcess();
        var authority = Path.Combine(mcpsm.Folder, "ca.pem");
        LoopbackCertificates.WriteAuthorityPem(authority);
        mcpsm.Variables["SSL_CERT_FILE"] = authority;
        mcpsm.Variables["MCPSM_CALLBACK_PORT"] = "0";
        mcpsm.Variables["BROWSER"] = "curl -sSLk -o /dev/null %s";
        mcpsm.Follow = _ => Task.CompletedTask;
        foreach (var line in new[]
        {
            $"add my-api --type http --url {server.McpUrl.AbsoluteUri}", "auth login my-api", "auth my-api",
            "auth revoke my-api", "auth set my-api new-token",
        })
        {
            var ended = await mcpsm.RunAsync(line);
            Assert.True(ended.Code == 0, $"{line}: {ended.Error}");
        }
        Assert.Contains("✔ Bearer token set", (await mcpsm.RunAsync("auth status")).Out);
        Assert.Contains("Testing my-api... ✘ Failed (401 Unauthorized)", (await mcpsm.RunAsync("test my-api")).Out);
    }

    [Fact]
    public async Task Ctrl_C_during_a_sign_in_exits_with_130_at_once()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill command.");
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess { Follow = _ => Task.CompletedTask };
        await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri]);
        var ended = await mcpsm.RunAsync(["auth", "login", "my-api", "--no-browser", "--callback-port", "0"], interruptAt: "Waiting for the sign-in");
        Assert.Equal(130, ended.Code);
    }
}
