using System.Text.Json;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Install;

/// <summary>Tests of the command for Windows with the Windows API of Wine: files, locks, Credential Manager and console.</summary>
public sealed class WineTests(WinePrefix wine) : IClassFixture<WinePrefix>
{
    private const string Login = "auth login my-api --no-browser --callback-port 0";

    [Fact]
    public async Task Commands_on_Windows_work_from_add_to_logout()
    {
        using var mcpsm = wine.CreateOrSkip();
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        (await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri])).Done();
        (await mcpsm.RunAsync(Login)).Done();
        var status = (await mcpsm.RunAsync("auth status --json")).Done();
        using (var json = JsonDocument.Parse(status.Out))
        {
            Assert.Equal("Authenticated", json.RootElement[0].GetProperty("state").GetString());
            Assert.Equal("credential-manager", json.RootElement[0].GetProperty("vault").GetString());
        }
        Assert.False(File.Exists(Path.Combine(mcpsm.Folder, "credentials.enc")));
        (await mcpsm.RunAsync("test my-api")).Done();
        var before = (await mcpsm.RunAsync("auth token my-api")).Done().Out;
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        var after = (await mcpsm.RunAsync("auth token my-api")).Done().Out;
        Assert.NotEqual(before, after);
        (await mcpsm.RunAsync("auth logout my-api --force")).Done();
        Assert.Equal(4, (await mcpsm.RunAsync("auth token my-api")).Code);
        (await mcpsm.RunAsync("remove my-api --yes")).Done();
    }

    [Fact]
    public async Task Output_in_an_OEM_code_page_uses_ASCII_signs()
    {
        using var mcpsm = wine.CreateOrSkip();
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        var output = (await mcpsm.RunAsync("auth status")).Done().Out;
        Assert.DoesNotContain('?', output);
        Assert.Contains("x Not authenticated", output);
    }

    [Fact]
    public async Task Credentials_move_between_the_file_and_the_Credential_Manager()
    {
        using var mcpsm = wine.CreateOrSkip();
        (await mcpsm.RunAsync("add moved --type http --url https://a.example/mcp")).Done();
        (await mcpsm.RunAsync("auth set moved - --vault file", "first-token\n")).Done();
        Assert.True(File.Exists(Path.Combine(mcpsm.Folder, "credentials.enc")));
        (await mcpsm.RunAsync("vault use credential-manager --move")).Done();
        Assert.Equal("first-token", (await mcpsm.RunAsync("auth token moved")).Done().Out.Trim());
        (await mcpsm.RunAsync("vault use file --move")).Done();
        Assert.Equal("first-token", (await mcpsm.RunAsync("auth token moved")).Done().Out.Trim());
        (await mcpsm.RunAsync("remove moved --yes")).Done();
    }

    [Fact]
    public async Task Plaintext_token_is_imported_and_leaves_the_file()
    {
        using var mcpsm = wine.CreateOrSkip();
        var config = Path.Combine(mcpsm.Folder, "config.json");
        await File.WriteAllTextAsync(config, """
            {"remoteServers":[{"id":"plain","name":"plain","type":"http","url":"https://a.example/mcp","bearerToken":"plaintext-token"}]}
            """, Cancellation);
        (await mcpsm.RunAsync("import")).Done();
        Assert.DoesNotContain("plaintext-token", await File.ReadAllTextAsync(config, Cancellation));
        Assert.Equal("plaintext-token", (await mcpsm.RunAsync("auth token plain")).Done().Out.Trim());
        (await mcpsm.RunAsync("remove plain --yes")).Done();
    }

    [Fact]
    public async Task Concurrent_renewals_spend_the_refresh_token_once()
    {
        using var mcpsm = wine.CreateOrSkip();
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        (await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri])).Done();
        (await mcpsm.RunAsync(Login)).Done();
        var first = mcpsm.RunAsync("auth refresh my-api");
        var second = mcpsm.RunAsync("auth refresh my-api");
        (await first).Done();
        (await second).Done();
        (await mcpsm.RunAsync("test my-api")).Done();
        (await mcpsm.RunAsync("remove my-api --yes")).Done();
    }

    [Fact]
    public async Task Kill_during_a_token_request_is_recorded_and_loses_nothing()
    {
        using var mcpsm = wine.CreateOrSkip();
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        (await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri])).Done();
        (await mcpsm.RunAsync(Login)).Done();
        var asked = new TaskCompletionSource();
        issuer.Faults.Intercept("/token", async context =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }, times: 1);
        using (var refresh = mcpsm.Start(["auth", "refresh", "my-api"]))
        {
            await asked.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            refresh.Kill(entireProcessTree: true);
            await refresh.WaitForExitAsync(Cancellation);
        }
        Assert.Contains("\"renewalBegan\"", await File.ReadAllTextAsync(Path.Combine(mcpsm.Folder, "credentials.json"), Cancellation));
        // The issuer never used the token, so the next renewal succeeds. The killed process left no lock.
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        (await mcpsm.RunAsync("test my-api")).Done();
        (await mcpsm.RunAsync("remove my-api --yes")).Done();
    }
}
