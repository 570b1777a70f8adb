using System.Text.RegularExpressions;
using McpSm.Commands.Tests.CommandLine;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Documentation;

/// <summary>Tests that run every example of <c>--help</c> in bash. Only the addresses are replaced, with servers on loopback.</summary>
public sealed partial class HelpExampleTests
{
    /// <summary>The examples that cannot run here, with the reason.</summary>
    private static readonly Dictionary<string, string> NotRun = new()
    {
        ["mcpsm proxy my-api"] = "an MCP client starts it; ProxyCommandTests do",
        ["mcpsm proxy my-api --http"] = "runs until it is ended; HttpProxyCommandTests do",
        ["mcpsm auth set my-api"] = "asks at a terminal; TerminalTests type the token",
        ["mcpsm vault use secret-service"] = "needs a desktop keyring; SecretServiceTests have one",
        ["mcpsm completion fish | source"] = "needs fish; ShellCompletionTests run it",
    };

    public static TheoryData<string> EveryCommand => HelpTests.EveryCommand;

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Example_in_the_help_works(string command)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The examples need a Unix shell.");
        Require.Programs("bash", "curl");
        await using var platform = await WorkloadPlatform.StartAsync();
        await using var issuer = await AuthorizationServer.StartAsync(new()
        {
            SupportsDeviceCode = true,
            DevicePollingInterval = TimeSpan.FromSeconds(1),
            TrustedPlatforms = [platform.Trusted],
            PreRegisteredClients = [new RegisteredClient("job", "s3cr3t-of-it", [], "client_secret_basic")],
        });
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        await using var provider = await AuthorizationServer.StartAsync(new()
        {
            Organisation = new Organisation(),
            ScopesSupported = ["openid", "offline_access"],
            PreRegisteredClients = [new RegisteredClient("mcpsm-at-work", null,
                [.. Enumerable.Range(1024, 64512).Select(port => $"http://127.0.0.1:{port}/callback")], "none")],
        });
        foreach (var example in await ExamplesAsync(command))
        {
            if (NotRun.ContainsKey(example))
            {
                continue;
            }
            using var mcpsm = new CliProcess();
            await PrepareAsync(mcpsm, example, server.McpUrl.AbsoluteUri, provider.Issuer);
            var folder = Directory.CreateDirectory(Path.Combine(mcpsm.Folder, "current")).FullName;
            mcpsm.CurrentFolder = folder;
            await File.WriteAllTextAsync(Path.Combine(folder, "jwt"), platform.Sign(issuer.Issuer), Cancellation);
            var click = mcpsm.Follow;
            mcpsm.Follow = async line =>
            {
                await click(line);
                if (UserCode().Match(line) is { Success: true } code)
                {
                    Assert.True(issuer.DecideDevice(code.Value, true));
                }
            };
            var before = Files(mcpsm);
            var typed = example.Replace("https://example.com/mcp", server.McpUrl.AbsoluteUri).Replace("https://login.example.com", provider.Issuer);
            var input = example.Contains("--token -") ? "a-token\n" : "y\n";
            var ended = await mcpsm.RunProgramAsync(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", typed], input);
            Assert.True(ended.Code == 0, $"{typed}\nexit code {ended.Code}\n{ended.Out}{ended.Error}");
            Assert.DoesNotContain("✘", ended.Out + ended.Error);
            RequireOutcome(example, ended, !before.SequenceEqual(Files(mcpsm)));
        }
    }

    [Fact]
    public async Task Skipped_example_is_still_in_the_help()
    {
        var all = new List<string>();
        foreach (var command in HelpTests.EveryCommand)
        {
            all.AddRange(await ExamplesAsync(command.Data));
        }
        Assert.InRange(all.Count, 50, 200);
        Assert.Empty(NotRun.Keys.Except(all));
    }

    /// <summary>Asserts that a reading command prints something and that a writing command changes a file.</summary>
    private static void RequireOutcome(string example, CliResult ended, bool changed)
    {
        if (example.StartsWith("curl", StringComparison.Ordinal))
        {
            Assert.Contains("\"serverInfo\":{", ended.Out);
            return;
        }
        if (example.Contains(" --json") || example.Contains("auth token"))
        {
            Assert.NotEqual("", ended.Out.Trim());
            return;
        }
        if (Writes().IsMatch(example))
        {
            Assert.True(changed, $"'{example}' changed nothing.\n{ended.Out}{ended.Error}");
            return;
        }
        Assert.NotEqual("", ended.Out + ended.Error);
    }

    /// <summary>Prepares the state for an example: a server with a sign-in, unless the example adds it, and the objects that it names.</summary>
    private static async Task PrepareAsync(CliProcess mcpsm, string example, string url, string provider)
    {
        mcpsm.Variables["MCPSM_VAULT"] = example.Contains("vault ") ? null : "file";
        mcpsm.Variables["BROWSER"] = "true";
        mcpsm.Variables["MCPSM_CALLBACK_PORT"] = "0";
        mcpsm.Variables["HOME"] = Directory.CreateDirectory(Path.Combine(mcpsm.Folder, "home")).FullName;
        mcpsm.Variables["API_KEY"] = mcpsm.Variables["API_TOKEN"] = "of-the-variable";
        var here = new InProcessCli { Folder = mcpsm.Folder, Variables = { ["MCPSM_VAULT"] = "file" } };
        here.Clock.Now = DateTimeOffset.UtcNow;
        if (!example.Contains("mcpsm add my-api") && !example.Contains("--name my-api"))
        {
            await here.AddAsync(new Uri(url));
            if (!example.Contains("import"))
            {
                (await here.LoginAsync()).Done();
                mcpsm.Variables["REFUSED_TOKEN"] = await here.TokenAsync();
            }
            else
            {
                here.Write("config.json", File.ReadAllText(here.PathOf("config.json")).Replace($"{url}\"", $"{url}\", \"bearerToken\": \"in-plaintext\""));
            }
        }
        if (example.Contains("--allow-legacy-endpoints=false"))
        {
            (await here.RunAsync("server update my-api --allow-legacy-endpoints")).Done();
        }
        if (example.Contains("--client-credentials"))
        {
            (mcpsm.Variables["MCPSM_CLIENT_ID"], mcpsm.Variables["MCPSM_CLIENT_SECRET"]) = ("job", "s3cr3t-of-it");
        }
        if (example.Contains("config unset"))
        {
            (await here.RunAsync("config set proxy http://proxy.example.com:3128")).Done();
        }
        if (example.Contains("rekey --passphrase"))
        {
            mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "the passphrase";
        }
        if (example.Contains("identity") && !example.Contains("identity use"))
        {
            (await here.RunAsync($"identity use {provider} --client-id mcpsm-at-work")).Done();
            if (!example.Contains("identity login"))
            {
                (await here.RunAsync("identity login --no-browser")).Done();
            }
        }
    }

    private static string[] Files(CliProcess mcpsm) => [.. Directory.EnumerateFiles(mcpsm.Folder, "*", SearchOption.AllDirectories)
        .Where(path => !path.Contains("/locks/") && !path.Contains("/bin/")).Order()
        .Select(path => path + Convert.ToHexString(File.ReadAllBytes(path)))];

    /// <summary>Returns the examples in the help of a command. A line with a deeper indentation belongs to the previous example.</summary>
    private static async Task<IReadOnlyList<string>> ExamplesAsync(string command)
    {
        using var mcpsm = new InProcessCli();
        var help = (await mcpsm.RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"])).Done().Out;
        var section = Regex.Split(help, @"^Examples?:\n", RegexOptions.Multiline)[1];
        return [.. Regex.Split(section.TrimEnd(), @"^  (?! )", RegexOptions.Multiline).Select(e => e.Trim()).Where(e => e.Length > 0)];
    }

    [GeneratedRegex(@"(?<=^and enter the code  )\S+")]
    private static partial Regex UserCode();

    [GeneratedRegex(@"mcpsm (add|server update|remove|auth (?!status|login-all|forget)|identity (use|login|none)|import my-api|completion|vault rekey)")]
    private static partial Regex Writes();
}
