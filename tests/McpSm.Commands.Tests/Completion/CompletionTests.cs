using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Servers;
using Xunit;

namespace McpSm.Commands.Tests.Completion;

/// <summary>Tests of the completion candidates and of the scripts for the shells.</summary>
public sealed class CompletionTests
{
    /// <summary>A name that a shell would expand and run.</summary>
    private const string Hostile = "$(touch pwned)`touch pwned`";

    private static InProcessCli WithServers()
    {
        var mcpsm = new InProcessCli();
        mcpsm.Write("config.json", new JsonObject
        {
            ["remoteServers"] = new JsonArray(
                Server("my-api", "my-api", "mcp:read", "mcp:write"), Server("evil", Hostile), Server("my-server", "My Server"),
                Server("twin-1", "twin"), Server("twin-2", "twin"), Server("other", "my-api")),
        }.ToJsonString());
        mcpsm.Write("credentials.json", """
            {"version":1,"servers":{"my-api":{"vault":"file","kind":"OAuth","url":"https://my-api.example/mcp",
            "issuer":"https://issuer.example/a?b&c","scopes":["mcp:read","openid"]}}}
            """);
        mcpsm.Write("settings.json", """{"vault":"secretmanagement:Some $(vault)","identityProvider":{"issuer":"https://login.example"}}""");
        return mcpsm;
    }

    private static JsonObject Server(string id, string name, params string[] scopes) => new()
    {
        ["id"] = id,
        ["name"] = name,
        ["type"] = "http",
        ["url"] = $"https://{id}.example/mcp",
        ["oauth"] = new JsonObject { ["scopes"] = new JsonArray([.. scopes.Select(s => (JsonNode)s)]) },
    };

    private static async Task<string[]> SuggestAsync(InProcessCli mcpsm, params string[] words)
    {
        var ended = (await mcpsm.RunAsync(["[suggest]"], TestConsole.Pipe(words))).Done();
        Assert.Equal("", ended.Error);
        return [.. ended.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t')[0])];
    }

    [Theory]
    [InlineData("", "add auth client completion config identity import list proxy remove server test vault")]
    [InlineData("auth to", "token")]
    [InlineData("auth log", "login login-all logout")]
    [InlineData("vault ", "list rekey use")]
    [InlineData("identity ", "login logout none use")]
    [InlineData("config set p", "proxy")]
    [InlineData("config unset ", "ca-file no-proxy proxy vault-key-file")]
    [InlineData("identity use ", "https://login.example")]
    [InlineData("auth login my-api --identity-provider ", "https://login.example")]
    [InlineData("auth login ", "evil my-api my-server other twin-1 twin-2")]
    [InlineData("auth login MY", "my-api my-server other")]
    [InlineData("auth login my-api ",
        "--assertion-file --assertion-from-env --authorize-param --callback-port --client-credentials --client-key-file --device --help "
        + "--identity-provider --managed-identity --name --no-browser --non-interactive --quiet --timeout --vault --verbose")]
    [InlineData("auth login my-api --no", "--no-browser --non-interactive")]
    [InlineData("auth login my-api --no-browser --no", "--non-interactive")]
    [InlineData("auth my-api --de", "--device")]
    [InlineData("auth my-api st", "")]
    [InlineData("auth my-api --no-browser log", "")]
    [InlineData("add new --type ", "http sse")]
    [InlineData("add ", "")]
    [InlineData("add new --scope a m", "mcp:read mcp:write")]
    [InlineData("add new --scope=o", "--scope=openid")]
    [InlineData("add new --authorize-param acc", "access_type=offline")]
    [InlineData("auth login my-api --authorize-param=prompt=l", "--authorize-param=prompt=login")]
    [InlineData("add new --issuer ", "https://issuer.example/a?b&c")]
    [InlineData("server update my-api --url ", "")]
    [InlineData("vault use s", "secret-service secretmanagement:Some $(vault)")]
    [InlineData("auth set my-api --vault f", "file")]
    [InlineData("auth set my-api SECRET --v", "--vault --verbose")]
    [InlineData("auth set -- my", "my-api my-server other")]
    [InlineData("completion ", "bash fish pwsh zsh")]
    [InlineData("nosuch ", "add auth client completion config identity import list proxy remove server test vault")]
    public async Task Completion_suggests_commands_options_servers_and_vaults(string line, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || !line.StartsWith("vault use"), "The vault of this system has another name.");
        using var mcpsm = WithServers();
        var before = mcpsm.Files();
        Assert.Equal(expected, string.Join(' ', (await SuggestAsync(mcpsm, line.Split(' '))).Order(StringComparer.Ordinal)));
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Completion_after_auth_lists_verbs_and_servers_with_descriptions()
    {
        using var mcpsm = WithServers();
        var ended = (await mcpsm.RunAsync(["[suggest]"], TestConsole.Pipe("auth", ""))).Done();
        Assert.Contains("token\tPrint a valid access token; renew it first if necessary\n", ended.Out);
        Assert.Contains("my-api\thttps://my-api.example/mcp\n", ended.Out);
        Assert.Contains("my-server\tMy Server: https://my-server.example/mcp\n", ended.Out);
    }

    [Theory]
    [InlineData("mcpsm auth login my-s", "my-server")]
    [InlineData("mcpsm auth login 'My S", "my-server")]
    [InlineData("mcpsm vault use secretm", @"secretmanagement:Some\ \$\(vault\)")]
    [InlineData("mcpsm vault use secretmanagement:So", @"Some\ \$\(vault\)")]
    [InlineData(@"mcpsm vault use secretmanagement:Some\ ", @"Some\ \$\(vault\)")]
    [InlineData("mcpsm vault use 'secretm", "secretmanagement:Some $(vault)")]
    [InlineData("mcpsm vault use \"secretmanagement:", @"secretmanagement:Some \$(vault)")]
    [InlineData("mcpsm auth set my-api tok --vault=fi", "file")]
    [InlineData("mcpsm add \"a b\" --issuer https://iss", @"//issuer.example/a\?b\&c")]
    [InlineData("mcpsm auth set my-api \"open quote", "")]
    [InlineData(@"mcpsm auth set my-api \", "")]
    public async Task Completion_for_bash_replaces_the_current_word(string line, string expected)
    {
        using var mcpsm = WithServers();
        var ended = (await mcpsm.RunAsync(["[suggest:bash]", ":="], TestConsole.Pipe(line))).Done();
        Assert.Equal(expected, ended.Out.TrimEnd('\n'));
        Assert.Equal("", ended.Error);
    }

    [Theory]
    [InlineData("config.json", "not json")]
    [InlineData("credentials.json", "{")]
    [InlineData("settings.json", "[]")]
    [InlineData("config.json",
        """{"remoteServers":[{"id":"a","name":"a\tb\nc\u0007","url":"https://a.example","oauth":{"scopes":["x\ny"],"authServerUrl":"\u001b[2Jhttps://i"}}]}""")]
    public async Task Completion_with_a_damaged_file_omits_its_names_silently(string file, string content)
    {
        using var mcpsm = new InProcessCli();
        mcpsm.Write(file, content);
        Assert.Contains("login", await SuggestAsync(mcpsm, "auth", ""));
        Assert.Contains("file", await SuggestAsync(mcpsm, "vault", "use", ""));
        Assert.Empty(await SuggestAsync(mcpsm, "add", "new", "--scope", ""));
        Assert.Empty(await SuggestAsync(mcpsm, "add", "new", "--issuer", ""));
    }

    [Fact]
    public async Task Completion_without_candidates_is_not_an_error()
    {
        using var mcpsm = new InProcessCli();
        Assert.Equal(new CliResult(0, "", ""), await mcpsm.RunAsync(["[suggest]"]));
        Assert.Equal(new CliResult(0, "", ""), await mcpsm.RunAsync(["[suggest:bash]"], TestConsole.Pipe("mcpsm auth login ")));
    }

    [Fact]
    public async Task Completion_of_a_thousand_servers_is_fast()
    {
        using var mcpsm = new InProcessCli();
        mcpsm.Write("config.json", new JsonObject
        {
            ["remoteServers"] = new JsonArray([.. Enumerable.Range(0, 1000).Select(i => (JsonNode)Server($"server-{i}", $"server-{i}", "mcp:read"))]),
        }.ToJsonString());
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var clock = Stopwatch.StartNew();
            // Every verb except help is a candidate too.
            Assert.Equal(1000 + ServerName.Reserved.Count - 1, (await SuggestAsync(mcpsm, "auth", "")).Length);
            fastest = clock.Elapsed < fastest ? clock.Elapsed : fastest;
        }
        // It takes under 50 ms on an idle machine; other tests run at the same time here.
        Assert.True(fastest < TimeSpan.FromMilliseconds(200), $"{fastest.TotalMilliseconds} ms");
    }

    [Theory]
    [InlineData("bash", "complete -F _mcpsm mcpsm")]
    [InlineData("zsh", "compdef _mcpsm mcpsm")]
    [InlineData("fish", "complete --command mcpsm")]
    [InlineData("pwsh", "Register-ArgumentCompleter")]
    public async Task Completion_script_exists_for_four_shells(string shell, string says)
    {
        using var mcpsm = new InProcessCli();
        var ended = (await mcpsm.RunAsync(["completion", shell])).Done();
        Assert.Contains(says, ended.Out);
        Assert.DoesNotContain('\r', ended.Out);
        Assert.Equal("", ended.Error);
        mcpsm.Write("settings.json", """{"vault":"secretmanagement:Elsewhere"}""");
        Assert.Equal(ended, await mcpsm.RunAsync(["completion", shell]));
    }

    [Theory]
    [InlineData("completion csh")]
    [InlineData("completion Bash")]
    [InlineData("completion")]
    public async Task Completion_for_an_unknown_shell_is_one_error_that_lists_the_four(string line)
    {
        using var mcpsm = new InProcessCli();
        var ended = await mcpsm.RunAsync(line);
        ended.Failed(2, "bash, zsh, fish or pwsh", "mcpsm completion --help");
        Assert.DoesNotContain("csh", ended.Error);
    }
}
