using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of a sign-in with workload assertions, including the examples of <c>docs/other-tools.md</c>.</summary>
public sealed class WorkloadCommandTests
{
    [Rule(36)]
    [Theory]
    [InlineData("auth login my-api --assertion-file {0}", false)]
    [InlineData("auth my-api --assertion-from-env JOB_TOKEN", false)]
    [InlineData("auth login my-api", true)]
    public async Task Workload_signs_in_renews_with_the_next_assertion_and_signs_out(string login, bool underCi)
    {
        using var mcpsm = new InProcessCli();
        await using var platform = await WorkloadPlatform.StartAsync(time: mcpsm.Clock);
        await using var issuer = await TestIssuer.StartAsync(new() { TimeProvider = mcpsm.Clock, TrustedPlatforms = [platform.Trusted] });
        await using var server = await TestMcpServer.StartAsync(issuer);
        await mcpsm.AddAsync(server.McpUrl, "my-api", "--scope", "mcp:tools", "--issuer", issuer.Issuer);
        var file = mcpsm.PathOf("assertion");
        if (underCi)
        {
            mcpsm.Variables.Remove("MCPSM_INTERACTIVE");
            mcpsm.Variables["CI"] = "true";
            mcpsm.Variables["MCPSM_ASSERTION_FILE"] = file;
        }
        Put();
        Assert.Equal("✔ Signed in to 'my-api' (expires: in 60 min).\n", (await mcpsm.RunAsync(string.Format(login, file))).Done().Out);
        var status = await mcpsm.StatusAsync();
        Assert.Equal(("Workload", true), ((string?)status["signedInBy"], (bool)status["canRenew"]!));
        mcpsm.Variables.Remove("MCPSM_ASSERTION_FILE");
        var first = await mcpsm.TokenAsync();
        mcpsm.Clock.Now += TimeSpan.FromHours(2);

        // The platform has not replaced the assertion: it is refused, and no other credential is tried.
        var ended = (await mcpsm.RunAsync("auth token my-api")).Failed(4, "did not accept the assertion", "expired", "mcpsm auth login my-api --assertion-");
        Assert.DoesNotContain("eyJ", ended.Error);
        Put();
        Assert.NotEqual(first, await mcpsm.TokenAsync());
        Assert.Equal(3, issuer.Traffic.Count("/token"));
        (await mcpsm.RunAsync("test my-api")).Done();
        Assert.Contains("Signed out", (await mcpsm.RunAsync("auth logout my-api --force")).Done().Out);
        Assert.Equal(TokenState.Revoked, issuer.Server.IssuedTokens[^1].State);
        Assert.Null((await mcpsm.StatusAsync())["signedInBy"]);

        void Put()
        {
            File.WriteAllText(file, platform.Sign(issuer.Issuer) + "\n");
            mcpsm.Variables["JOB_TOKEN"] = File.ReadAllText(file);
        }
    }

    [Theory]
    [InlineData("--assertion-file a --assertion-from-env B", "cannot be combined")]
    [InlineData("--assertion-file a --no-browser", "--no-browser cannot be combined with --assertion-file or --assertion-from-env.")]
    [InlineData("--assertion-file a --device", "--device cannot be combined with --assertion-file or --assertion-from-env.")]
    [InlineData("--assertion-file a --callback-port 0", "--callback-port cannot be combined with --assertion-file or --assertion-from-env.")]
    [InlineData("--assertion-file a --authorize-param a=b", "--authorize-param cannot be combined with --assertion-file or --assertion-from-env.")]
    [InlineData("--assertion-from-env B --client-credentials", "--client-credentials cannot be combined with --assertion-file or --assertion-from-env.")]
    [InlineData("--assertion-from-env B --client-key-file key.pem", "--client-key-file cannot be combined with --assertion-file or --assertion-from-env.")]
    [InlineData("--assertion-from-env B --managed-identity", "--managed-identity cannot be combined with --assertion-file or --assertion-from-env.")]
    [InlineData("--assertion-from-env eyJQTEFOVEVE.eyJ.eyJ", "needs a name")]
    [InlineData("--assertion-file", "--assertion-file is missing")]
    public async Task Wrong_combination_of_options_is_a_usage_error_and_sends_nothing(string options, string why)
    {
        await using var server = await TestMcpServer.StartAsync();
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var ended = (await mcpsm.RunAsync($"auth login my-api {options}")).Failed(2, why);
        Assert.DoesNotContain("eyJ", ended.Error);
        Assert.Empty(server.Traffic.Requests);
        (await mcpsm.RunAsync($"auth login-all {options}")).Failed(2);
    }

    [Fact]
    public async Task Assertion_file_that_is_missing_or_not_a_JWT_is_named_and_not_sent()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var file = mcpsm.PathOf("assertion");
        (await mcpsm.RunAsync(["auth", "login", "my-api", "--assertion-file", file])).Failed(2, $"{file}': it does not exist");
        mcpsm.Write("assertion", "PLANTED");
        Assert.DoesNotContain("PLANTED", (await mcpsm.RunAsync(["auth", "login", "my-api", "--assertion-file", file]))
            .Failed(2, "does not contain a signed JWT").Error);
        (await mcpsm.RunAsync("auth login my-api --assertion-from-env JOB_TOKEN")).Failed(2, "the variable 'JOB_TOKEN': it is not set");
        Assert.Empty(issuer.Traffic.To("/token"));
    }

    [Fact]
    public async Task GitHub_Actions_example_of_the_page_runs_unchanged()
    {
        await using var scene = await ExampleAsync();
        var mcpsm = scene.Mcpsm;
        mcpsm.Variables["CI"] = "true";
        mcpsm.Variables["ACTIONS_ID_TOKEN_REQUEST_URL"] = scene.Platform.RequestUrl;
        mcpsm.Variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = WorkloadPlatform.RequestToken;
        mcpsm.Variables["RUNNER_TEMP"] = mcpsm.Folder;
        var script = Path.Combine(mcpsm.Folder, "step.sh");
        await File.WriteAllTextAsync(script, "set -e\n" + Commands("GitHub Actions"), Cancellation);
        var ended = (await mcpsm.RunScriptAsync(script)).Done();
        Assert.Contains("✔ Signed in to 'my-api'", ended.Out);
        Assert.Contains("\"serverInfo\":{\"name\":\"sample-server\"", ended.Out);
        Assert.Equal("urn:ietf:params:oauth:grant-type:jwt-bearer", Assert.Single(scene.Issuer.IssuedTokens).GrantType);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(mcpsm.Folder, "assertion")));
        }
        scene.AssertNothingSaid(ended);
    }

    [Fact]
    public async Task Kubernetes_example_of_the_page_runs_and_renews_with_the_next_token()
    {
        await using var scene = await ExampleAsync();
        var mcpsm = scene.Mcpsm;
        var projected = new ProjectedToken(Directory.CreateDirectory(Path.Combine(mcpsm.Folder, "volume")).FullName);
        projected.Put(scene.Platform.Sign(scene.Issuer.Issuer));
        mcpsm.Variables["MCPSM_ASSERTION_FILE"] = projected.File;
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "0";
        var script = Path.Combine(mcpsm.Folder, "args.sh");
        await File.WriteAllTextAsync(script, "set -e\n" + Commands("Kubernetes"), Cancellation);
        var ended = (await mcpsm.RunScriptAsync(script)).Done();
        Assert.Contains("\"serverInfo\":{\"name\":\"sample-server\"", ended.Out);
        scene.AssertNothingSaid(ended);

        // This issuer accepts each assertion once, so a renewal shows which one was sent.
        (await mcpsm.RunAsync("auth refresh my-api")).Failed(4, "it was used before");
        projected.Put(scene.Platform.Sign(scene.Issuer.Issuer));
        (await mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Equal(2, scene.Issuer.IssuedTokens.Count);
    }

    private static async Task<Example> ExampleAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The examples need a Unix shell.");
        Require.Programs("sh", "curl", "sed");
        var platform = await WorkloadPlatform.StartAsync();
        var issuer = await AuthorizationServer.StartAsync(new() { TrustedPlatforms = [platform.Trusted with { RefuseReplays = true }] });
        var server = await ProtectedMcpServer.StartAsync(issuer);
        var mcpsm = new CliProcess { Follow = _ => Task.CompletedTask };
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "";
        mcpsm.Variables["MCP_SERVER"] = server.McpUrl.AbsoluteUri;
        mcpsm.Variables["MCP_ISSUER"] = issuer.Issuer;
        mcpsm.Variables["MCPSM_VAULT"] = "file";
        return new Example(platform, issuer, server, mcpsm);
    }

    /// <summary>Returns the commands in the YAML block below the heading that ends with this text.</summary>
    private static string Commands(string heading)
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "other-tools.md"));
        var block = lines.SkipWhile(l => !(l.StartsWith("## ") && l.EndsWith(heading))).SkipWhile(l => !l.TrimEnd().EndsWith('|')).Skip(1).ToList();
        var indent = block[0].Length - block[0].TrimStart().Length;
        Assert.True(indent > 0);
        return string.Concat(block.TakeWhile(l => l.Length > indent && l[..indent].Trim().Length == 0).Select(l => l[indent..] + "\n"));
    }

    private sealed record Example(WorkloadPlatform Platform, AuthorizationServer Issuer, ProtectedMcpServer Server, CliProcess Mcpsm) : IAsyncDisposable
    {
        public void AssertNothingSaid(CliResult ended)
        {
            Assert.DoesNotContain("eyJ", ended.Out + ended.Error);
            Assert.DoesNotContain("PLANTED", ended.Out + ended.Error);
            Assert.All(Issuer.IssuedTokens, t => Assert.DoesNotContain(t.Value, ended.Out + ended.Error));
        }

        public async ValueTask DisposeAsync()
        {
            Mcpsm.Dispose();
            await Server.DisposeAsync();
            await Issuer.DisposeAsync();
            await Platform.DisposeAsync();
        }
    }
}
