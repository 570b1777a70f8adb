using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.CommandLine;

/// <summary>
/// Tests with files and responses that contain values for which a terminal or a shell would act. No command prints them raw, in text,
/// JSON or completions, and no suggested command line contains one.
/// </summary>
public sealed partial class HostileValueTests
{
    // Cursor and colour, a link (OSC 8), C1, direction overrides, BEL, a line end, and characters that shells expand.
    private const string Evil =
        "\u001b[2J\u001b]8;;https://evil.example\u0007x\u001b]8;;\u0007\u009b31m\u202e\u2066\u200b\u2028\ufeff\r\n\u0001$(id)`id`;id|id&'\"<>*!%PATH%\\";

    public static TheoryData<string> Lines =>
    [
        "list", "list --json", "auth status", "auth status --json", "auth status -- -rf",
        "auth login -- -rf", "auth login quiet --non-interactive", "auth login-all --non-interactive --verbose",
        "auth token -- -rf", "auth token --json quiet", "auth refresh quiet", "auth logout quiet", "auth logout --force -- -rf",
        "auth set -- -rf -", "auth set quiet", "auth revoke -- --help",
        "test --timeout 2", "test --timeout 2 --json", "import --dry-run", "import",
        "vault", "vault --json", "vault list", "vault use file", "vault use file --move", "vault use nosuch",
        "identity", "identity --json", "identity login --non-interactive", "identity logout --force", "identity none",
        "remove -- -rf", "remove --yes -- -rf",
        "server update quiet --name other", "server update quiet --url https://b.example/mcp", "server update quiet --scope a",
        "add quiet --type http --url https://c.example/mcp", "auth nosuch", "auth quiett", "[suggest]", "[suggest:bash]",
    ];

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task Hostile_value_in_a_file_is_never_printed_raw(string line)
    {
        using var mcpsm = WithFiles();
        AssertSafe(await mcpsm.RunAsync(line, TestConsole.Pipe(line.StartsWith('[') ? ["auth", "login", ""] : ["a-token"])),
            isSuggestion: line.StartsWith('['));
    }

    [Theory]
    [InlineData("auth login ")]
    [InlineData("auth login -- ")]
    [InlineData("vault use ")]
    [InlineData("server update quiet --issuer ")]
    [InlineData("server update quiet --scope ")]
    [InlineData("auth login quiet --vault ")]
    public async Task Completion_never_becomes_an_option_or_a_command(string line)
    {
        using var mcpsm = WithFiles();
        var plain = await mcpsm.RunAsync("[suggest]", TestConsole.Pipe(line.Split(' ')));
        var bash = await mcpsm.RunAsync("[suggest:bash]", TestConsole.Pipe("mcpsm " + line));
        AssertSafe(plain, isSuggestion: true);
        AssertSafe(bash, isSuggestion: true);
        var words = plain.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t')[0]).ToList();
        Assert.Equal(line.Contains("-- "), words.Contains("-rf"));
        Assert.All(words.Except(["-rf", "--help", "--json"]), word => Assert.False(word.StartsWith('-'), word));
    }

    [Fact]
    public async Task List_as_JSON_keeps_every_value()
    {
        using var mcpsm = WithFiles();
        var json = (await mcpsm.RunAsync("list --json")).Done().Out;
        Assert.DoesNotContain(json, IsHidden);
        var first = JsonNode.Parse(json)!.AsArray().First(s => (string?)s!["id"] == "-rf")!;
        Assert.Equal($"https://a.example/{Evil}", (string?)first["url"]);
        Assert.Equal(Evil, (string?)first["clientId"]);
        Assert.Equal([Evil, "ok"], first["scopes"]!.AsArray().Select(s => (string?)s));
        Assert.Equal("می‌خواهم 👩‍💻", (string?)JsonNode.Parse(json)!.AsArray().First(s => (string?)s!["id"] == "persian")!["name"]);
        Assert.Contains("می‌خواهم 👩‍💻", (await mcpsm.RunAsync("list")).Done().Out);
    }

    [Fact]
    public async Task Server_named_like_an_option_is_found_by_the_suggested_command()
    {
        using var mcpsm = WithFiles();
        File.Delete(mcpsm.PathOf("settings.json"));
        var error = (await mcpsm.RunAsync(["auth", "token", "--", "--json"])).Error;
        Assert.Contains("mcpsm auth login \"--\" --json", error);
        Assert.Contains("Cannot reach http://127.0.0.1:1", (await mcpsm.RunAsync(["auth", "login", "--", "--json"])).Error);
        Assert.Contains("mcpsm remove --yes \"--\" --json", (await mcpsm.RunAsync(["remove", "--", "--json"])).Error);
        (await mcpsm.RunAsync(["remove", "--yes", "--", "--json"])).Done();
        Assert.DoesNotContain(mcpsm.Config(), s => (string?)s!["id"] == "--json");
    }

    /// <summary>The hostile responses of a server or issuer.</summary>
    private static readonly Dictionary<string, Action<TestIssuer, TestMcpServer>> Answers = new()
    {
        ["issuer"] = (i, _) => i.Faults.RewriteJson("/.well-known", m => m["issuer"] = "https://evil.example/" + Evil),
        ["token_endpoint"] = (i, _) => i.Faults.RewriteJson("/.well-known", m => m["token_endpoint"] = "https://evil.example/" + Evil),
        ["resource"] = (_, s) => s.Resource = "https://evil.example/" + Evil,
        ["authorization_servers"] = (_, s) => s.Issuers = ["https://evil.example/" + Evil],
        ["scope"] = (_, s) => s.Challenge = own => own + ", scope=\"a$(id) b`id`\"",
        ["registration"] = (i, _) => i.Faults.Answer("/register", 400, Body("error_description")),
        ["registered client"] = (i, _) => i.Faults.RewriteJson("/register", m => m["client_id"] = Evil),
        ["token error"] = (i, _) => i.Faults.Answer("/token", 400, Body("error_description")),
        ["token message"] = (i, _) => i.Faults.Answer("/token", 500, Body("message")),
        ["token type"] = (i, _) => i.Faults.Answer("/token", 200, new JsonObject { ["access_token"] = "t", ["token_type"] = Evil }.ToJsonString()),
        ["granted scopes"] = (i, _) => i.Faults.RewriteJson("/token", m => m["scope"] = Evil),
        ["callback"] = (i, _) =>
        {
            var error = "error=" + Uri.EscapeDataString(Evil) + "&error_description=" + Uri.EscapeDataString(Evil);
            i.Faults.RewriteRedirect("/authorize", u => Regex.Replace(u, "code=[^&]*", error));
        },
        ["new place"] = (_, s) => s.Faults.Intercept("/mcp", c =>
        {
            c.Response.StatusCode = 308;
            c.Response.Headers.Location = "https://evil.example/$(id)`id`%1b%e2%80%ae";
            return Task.CompletedTask;
        }),
        ["server info"] = (_, s) => s.Faults.Answer("/mcp", 200, new JsonObject
        {
            ["jsonrpc"] = "2.0",
            ["id"] = 1,
            ["result"] = new JsonObject
            {
                ["protocolVersion"] = "2025-11-25",
                ["capabilities"] = new JsonObject(),
                ["serverInfo"] = new JsonObject { ["name"] = Evil, ["version"] = Evil },
            },
        }.ToJsonString()),
    };

    public static TheoryData<string> AnswerNames => [.. Answers.Keys];

    [Theory]
    [MemberData(nameof(AnswerNames))]
    public async Task Hostile_value_from_the_network_is_never_printed_raw(string answer)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        Answers[answer](issuer, server);
        AssertSafe(await mcpsm.LoginAsync("my-api", "--verbose", "--timeout", "5"));
        string[] lines =
        [
            "test my-api --timeout 5", "test my-api --timeout 5 --json", "auth status --json", "auth status",
            "auth refresh my-api", "auth logout my-api --force", "remove my-api --yes",
        ];
        foreach (var line in lines)
        {
            AssertSafe(await mcpsm.RunAsync(line));
        }
    }

    private static string Body(string member) => new JsonObject { ["error"] = Evil, [member] = Evil }.ToJsonString();

    private static InProcessCli WithFiles()
    {
        var mcpsm = new InProcessCli();
        var servers = new JsonArray(
            new JsonObject
            {
                ["id"] = "-rf",
                ["name"] = Evil,
                ["url"] = $"https://a.example/{Evil}",
                ["headers"] = new JsonObject { [$"X-Token-{Evil}"] = $"{Evil}secret-9" },
                ["bearerToken"] = Evil,
                ["oauth"] = new JsonObject
                {
                    ["clientId"] = Evil,
                    ["clientSecret"] = Evil,
                    ["scopes"] = new JsonArray(Evil, "ok"),
                    ["authServerUrl"] = $"https://i.example/{Evil}",
                },
            },
            new JsonObject { ["id"] = "--help", ["name"] = "\u2066" + Evil, ["url"] = Evil },
            new JsonObject
            {
                ["id"] = "quiet",
                ["name"] = "quiet",
                ["url"] = "http://127.0.0.1:1/mcp",
                ["headers"] = new JsonObject { [Evil] = "key-0123456789-0123456789" },
                ["oauth"] = new JsonObject { ["scopes"] = new JsonArray(Evil) },
            },
            new JsonObject { ["id"] = "--json", ["name"] = "--json", ["url"] = "http://127.0.0.1:1/mcp" },
            new JsonObject
            {
                ["id"] = "persian",
                ["name"] = "می‌خواهم 👩‍💻",
                ["url"] = "http://127.0.0.1:1/mcp",
                ["oauth"] = new JsonObject { ["enabled"] = false },
            });
        mcpsm.Write("config.json", new JsonObject { ["remoteServers"] = servers }.ToJsonString());
        mcpsm.Write("settings.json",
            new JsonObject { ["vault"] = Evil, ["identityProvider"] = new JsonObject { ["issuer"] = $"https://p.example/{Evil}" } }.ToJsonString());
        mcpsm.Write("credentials.json", new JsonObject
        {
            ["version"] = 1,
            ["servers"] = new JsonObject
            {
                ["quiet"] = new JsonObject
                {
                    ["url"] = "http://127.0.0.1:1/mcp",
                    ["kind"] = "OAuth",
                    ["vault"] = Evil,
                    ["issuer"] = $"https://i.example/{Evil}",
                    ["scopes"] = new JsonArray(Evil),
                },
            },
        }.ToJsonString());
        mcpsm.Write("oauth-tokens.json", new JsonObject { [Evil] = new JsonObject { ["accessToken"] = "t" } }.ToJsonString());
        return mcpsm;
    }

    private static void AssertSafe(CliResult ended, bool isSuggestion = false)
    {
        foreach (var text in new[] { ended.Out, ended.Error })
        {
            var shown = isSuggestion ? text.Replace("\t", "") : text;
            Assert.True(!HasHidden(shown), $"{Uri.EscapeDataString(text)}");
            Assert.DoesNotContain("unexpected failure", text);
        }
        if (isSuggestion)
        {
            return;
        }
        foreach (Match command in Commands().Matches(ended.Error + ended.Out))
        {
            Assert.DoesNotMatch(@"[$`;|&!%\\]", command.Value.Replace("\\\"", "\""));
        }
    }

    private static bool HasHidden(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, i, out var rune))
            {
                return true;
            }
            if (rune.Value is not ('\n' or 0x200c or 0x200d) && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                return true;
            }
            i += rune.Utf16SequenceLength;
        }
        return false;
    }

    private static bool IsHidden(char c) => c != '\n' && char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    // Matches a suggested command up to the end of its line.
    [GeneratedRegex("mcpsm (?:auth|server|import|remove|vault|identity|test|add|list)[^\n]*")]
    private static partial Regex Commands();
}
