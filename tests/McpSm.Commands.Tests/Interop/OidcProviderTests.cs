using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Interop;

/// <summary>Tests of the executable with an issuer of other authors: its pages and its rules for tokens.</summary>
public sealed partial class OidcProviderTests
{
    private static async Task<CliProcess> NewAsync(TestMcpServer server, FormVisitor visitor)
    {
        var mcpsm = new CliProcess
        {
            Follow = async line =>
            {
                if (CliProcess.AuthorizationUrl(line) is { } url)
                {
                    await visitor.AgreeAsync(url);
                }
            },
        };
        (await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri])).Done();
        return mcpsm;
    }

    private static async Task<string> TokenAsync(CliProcess mcpsm) => (await mcpsm.RunAsync("auth token my-api")).Done().Out.Trim();

    private static Task<CliResult> LoginAsync(CliProcess mcpsm) => mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0 --timeout 50");

    [Fact]
    public async Task Sign_in_with_registration_and_rotation_renews_and_signs_out()
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await provider.StartServerAsync();
        using var visitor = new FormVisitor();
        using var mcpsm = await NewAsync(server, visitor);

        (await LoginAsync(mcpsm)).Done();
        Assert.Equal(["Sign-in", "Authorize", "Signed in to my-api"], visitor.Headings);
        var status = JsonNode.Parse((await mcpsm.RunAsync("auth status my-api --json")).Out)![0]!;
        Assert.Equal((provider.Issuer, "Authenticated", true), ((string?)status["issuer"], (string?)status["state"], (bool)status["canRenew"]!));
        var first = await TokenAsync(mcpsm);
        var known = await provider.IntrospectAsync(first);
        Assert.Equal([server.Resource], known!.Resources);
        Assert.Contains("mcp:tools", known.Scopes);
        Assert.Contains("✔ OK (test-server", (await mcpsm.RunAsync("test my-api")).Done().Out);

        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Equal((2, 2), (provider.Count("grant.success", "refresh_token"), provider.Count("refresh_token.consumed")));
        var renewed = await TokenAsync(mcpsm);
        Assert.NotEqual(first, renewed);
        Assert.NotNull(await provider.IntrospectAsync(renewed));

        (await mcpsm.RunAsync("auth logout my-api --force")).Done();
        Assert.Null(await provider.IntrospectAsync(renewed));
        Assert.Equal((1, 1), (provider.Count("grant.revoked"), provider.Count("grant.success", "authorization_code")));
        Assert.Contains("✘ Failed (401 Unauthorized)", (await mcpsm.RunAsync("test my-api")).Out);

        (await LoginAsync(mcpsm)).Done();
        Assert.Equal(1, provider.Count("registration_create.success"));
        Assert.Equal(0, provider.Count("grant.error"));
        provider.AssertHealthy();
    }

    [Fact]
    public async Task Person_who_goes_back_denies_the_sign_in()
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await provider.StartServerAsync();
        using var visitor = new FormVisitor();
        using var mcpsm = await NewAsync(server, visitor);
        mcpsm.Follow = async line =>
        {
            if (CliProcess.AuthorizationUrl(line) is { } url)
            {
                await visitor.RefuseAsync(url);
            }
        };
        (await LoginAsync(mcpsm)).Failed(1, "access_denied: End-User aborted interaction");
        Assert.Equal("Not signed in to my-api", visitor.Headings[^1]);
        Assert.Equal(0, provider.Count("grant.success"));
        provider.AssertHealthy();
    }

    [Fact]
    public async Task Device_code_signs_in_and_renews()
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await provider.StartServerAsync();
        using var visitor = new FormVisitor();
        using var mcpsm = await NewAsync(server, visitor);
        Uri? page = null;
        Task? visit = null;
        mcpsm.Follow = line =>
        {
            if (VerificationPage().Match(line) is { Success: true } found)
            {
                page = new Uri(found.Groups[1].Value);
            }
            if (UserCode().Match(line) is { Success: true } code)
            {
                visit = visitor.AgreeAsync(page!, code.Groups[1].Value);
            }
            return Task.CompletedTask;
        };
        (await mcpsm.RunAsync("auth login my-api --device --timeout 50")).Done();
        await visit!;
        Assert.Equal("Sign-in Success", visitor.Headings[^1]);
        Assert.Equal([server.Resource], (await provider.IntrospectAsync(await TokenAsync(mcpsm)))!.Resources);
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Equal(1, provider.Count("grant.success", "urn:ietf:params:oauth:grant-type:device_code"));
        Assert.Equal(1, provider.Count("refresh_token.consumed"));
        provider.AssertHealthy();
    }

    [Fact]
    public async Task Eight_processes_that_renew_at_once_spend_each_refresh_token_once()
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await provider.StartServerAsync();
        using var visitor = new FormVisitor();
        using var mcpsm = await NewAsync(server, visitor);
        (await LoginAsync(mcpsm)).Done();
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => mcpsm.RunAsync("auth refresh my-api")));
        Assert.All(all, ended => ended.Done());
        // A process that starts after another has ended renews again, with the token that the other stored.
        var renewed = provider.Count("grant.success", "refresh_token");
        Assert.InRange(renewed, 1, 8);
        Assert.Equal((renewed, 0, 0), (provider.Count("refresh_token.consumed"), provider.Count("grant.error"), provider.Count("grant.revoked")));
        Assert.NotNull(await provider.IntrospectAsync(await TokenAsync(mcpsm)));
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        provider.AssertHealthy();
    }

    [Fact]
    public async Task Copied_folder_that_reuses_a_refresh_token_makes_both_sign_in_again()
    {
        await using var provider = await OidcProvider.StartAsync();
        await using var server = await provider.StartServerAsync();
        using var visitor = new FormVisitor();
        using var mcpsm = await NewAsync(server, visitor);
        (await LoginAsync(mcpsm)).Done();
        using var copy = new CliProcess();
        foreach (var file in Directory.EnumerateFiles(mcpsm.Folder))
        {
            File.Copy(file, Path.Combine(copy.Folder, Path.GetFileName(file)));
        }
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        var token = await TokenAsync(mcpsm);
        Assert.NotNull(await provider.IntrospectAsync(token));

        (await copy.RunAsync("auth refresh my-api")).Failed(4, "no longer accepts the refresh token", "mcpsm auth login my-api");
        Assert.Equal("refresh token already used", (string?)provider.Events.Single(e => (string?)e["event"] == "grant.error")["detail"]);
        Assert.Equal(1, provider.Count("grant.revoked"));
        Assert.Null(await provider.IntrospectAsync(token));
        (await mcpsm.RunAsync("auth refresh my-api")).Failed(4, "no longer accepts the refresh token", "mcpsm auth login my-api");
        (await LoginAsync(mcpsm)).Done();
        Assert.NotNull(await provider.IntrospectAsync(await TokenAsync(mcpsm)));
        provider.AssertHealthy();
    }

    [GeneratedRegex(@"^To sign in, visit (\S+)$")]
    private static partial Regex VerificationPage();

    [GeneratedRegex(@"^and enter the code  (\S+)$")]
    private static partial Regex UserCode();
}
