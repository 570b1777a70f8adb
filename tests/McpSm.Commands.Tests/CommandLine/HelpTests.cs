using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Configuration;
using Xunit;

namespace McpSm.Commands.Tests.CommandLine;

public sealed partial class HelpTests
{
    private const int Widest = 80;

    private const string Login = "--no-browser --device --callback-port --timeout --vault --non-interactive";

    private const string OfOne = Login
        + " --client-credentials --client-key-file --managed-identity --assertion-file --assertion-from-env --name --identity-provider --authorize-param";

    private const string Server = "--type --oauth --no-oauth --client-id --client-secret-from-env --scope --issuer --header --header-from-env --token "
        + "--client-metadata-url --allow-legacy-endpoints --dpop --authorize-param --relay-sign-in --header-file --resource --fallback "
        + "--allow-tool --ignore-tool --request-timeout --initialize-timeout";

    /// <summary>Every command with all its arguments and options.</summary>
    private static readonly Dictionary<string, string> Commands = new()
    {
        [""] = "--version",
        ["add"] = "<name> --url " + Server,
        ["server"] = "",
        ["server update"] = "<server> --name --url " + Server,
        ["list"] = "--json",
        ["proxy"] = "<server> --header --header-file --transport --allow-tool --ignore-tool --request-timeout --initialize-timeout --log-file "
            + "--http --all --port --ephemeral --show-token --allow-origin --ca-file --proxy --no-proxy --vault-key-file "
            + "--sign-in --sign-in-timeout",
        ["remove"] = "<server> --yes -y",
        ["test"] = "<server> --json --timeout --throttle-limit",
        ["auth"] = "<server> " + OfOne,
        ["auth status"] = "<server> --json",
        ["auth login"] = "<server> " + OfOne,
        ["auth logout"] = "<server> --force -f --local",
        ["auth login-all"] = Login + " --throttle-limit",
        ["auth refresh"] = "<server>",
        ["auth set"] = "<server> <token> --vault",
        ["auth revoke"] = "<server>",
        ["auth forget"] = "<server>",
        ["auth token"] = "<server> --header --json --method --uri --nonce --renew",
        ["auth reject"] = "<server>",
        ["identity"] = "--json",
        ["identity use"] = "<issuer> --client-id --client-secret-from-env --scope --vault",
        ["identity login"] = Login + " --id-token-from-env",
        ["identity logout"] = "--force -f --local",
        ["identity none"] = "--force -f",
        ["vault"] = "--json",
        ["vault list"] = "--json",
        ["vault use"] = "<vault> --move",
        ["vault rekey"] = "--passphrase --key-file",
        ["config"] = "--json",
        ["config set"] = "<setting> <value>",
        ["config unset"] = "<setting>",
        ["client"] = "--json",
        ["client list"] = "--json --known",
        ["client add"] = "<client> <server> --all --as --name --force -f --project --dry-run",
        ["client remove"] = "<client> <server> --all --name --project --dry-run",
        ["client sync"] = "<client> --project --dry-run",
        ["completion"] = "<shell>",
        ["import"] = "<server> --from --url --dry-run --force --vault",
    };

    public static TheoryData<string> EveryCommand => [.. Commands.Keys];

    [Fact]
    public async Task Command_without_arguments_prints_its_help()
    {
        using var mcpsm = new InProcessCli();
        Assert.Equal(await mcpsm.RunAsync("--help"), (await mcpsm.RunAsync([])).Done());
    }

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Help_lists_every_argument_and_option_in_80_columns(string command)
    {
        using var mcpsm = new InProcessCli();
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var ask in new[] { "--help", "-h", "-?" })
        {
            var ended = (await mcpsm.RunAsync([.. words, ask])).Done();
            Assert.Equal("", ended.Error);
            Assert.DoesNotContain(ended.Out.Split('\n'), line => line.Length > Widest);
            Assert.Equal(Commands[command].Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(),
                DocumentedOptions().Matches(ended.Out).Select(m => m.Groups[1].Value)
                    .Concat(Argument().Matches(Usage(ended.Out)).Select(m => m.Value))
                    .Where(o => o is not ("--help" or "-h" or "-?" or "-t" or "-u" or "--verbose" or "-v" or "--quiet" or "-q")).Distinct().Order());
        }
        Assert.Empty(mcpsm.Files());
    }

    [Fact]
    public async Task Every_command_is_in_the_table_of_these_tests()
    {
        using var mcpsm = new InProcessCli();
        foreach (var parent in new[] { "", "auth", "server", "identity", "vault", "config", "client" })
        {
            var ended = (await mcpsm.RunAsync([.. parent.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"])).Done();
            var commands = Subcommands().Matches(ended.Out.Split("Commands:\n")[1].Split("\n\n")[0]).Select(m => m.Groups[1].Value);
            Assert.Equal(Commands.Keys.Where(c => c.Length > 0 && (c.LastIndexOf(' ') is var at && at < 0 ? "" : c[..at]) == parent)
                .Select(c => c.Split(' ')[^1]).Order(), commands.Order());
        }
    }

    [Theory]
    [InlineData("auth login", "mcpsm auth login <server> [options]")]
    [InlineData("auth token", "mcpsm auth token <server> [options]")]
    [InlineData("auth status", "mcpsm auth status [<server>] [options]")]
    [InlineData("auth login-all", "mcpsm auth login-all [options]")]
    [InlineData("server update", "mcpsm server update <server> [options]")]
    public async Task Usage_line_shows_what_can_be_typed(string command, string usage)
    {
        using var mcpsm = new InProcessCli();
        Assert.Equal(usage, Usage((await mcpsm.RunAsync(command + " --help")).Done().Out).Trim());
    }

    [Theory]
    [InlineData("help", "--help")]
    [InlineData("help auth", "auth --help")]
    [InlineData("help auth login", "auth login --help")]
    [InlineData("auth help login", "auth login --help")]
    [InlineData("auth help", "auth --help")]
    [InlineData("vault help use --verbose", "vault use --help")]
    [InlineData("help help", "--help")]
    public async Task Word_help_prints_the_same_as_the_option(string line, string option)
    {
        using var mcpsm = new InProcessCli();
        Assert.Equal((await mcpsm.RunAsync(option)).Done(), await mcpsm.RunAsync(line));
    }

    [Fact]
    public async Task Word_help_as_an_argument_is_a_value()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await mcpsm.RunAsync("auth set my-api help")).Done();
        Assert.Equal("help", await mcpsm.TokenAsync());
    }

    /// <summary>Runs the examples non-interactively and without a server, so that most fail, but none with a usage error.</summary>
    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Examples_of_a_command_have_valid_usage(string command)
    {
        using var mcpsm = new InProcessCli { Variables = { ["MCPSM_INTERACTIVE"] = "0", ["MCPSM_CLIENT_ID"] = "job", ["MCPSM_CLIENT_SECRET"] = "a secret" } };
        string[] words = [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"];
        var help = (await mcpsm.RunAsync(words)).Done().Out;
        var examples = Example().Matches(help[Regex.Match(help, "Examples?:").Index..]).Select(m => m.Groups[1].Value.TrimEnd()).ToList();
        Assert.NotEmpty(examples);
        await mcpsm.AddAsync(new Uri("http://127.0.0.1:1/mcp"));
        Assert.Contains(examples, e => e.StartsWith($"mcpsm {command}".TrimEnd(), StringComparison.Ordinal));
        foreach (var example in examples)
        {
            var ended = await mcpsm.RunAsync(example["mcpsm ".Length..]);
            Assert.True(ended.Code != ExitCode.WrongUsage, $"{example}: {ended.Error}");
        }
    }

    [Fact]
    public async Task Version_option_prints_only_the_version()
    {
        using var mcpsm = new InProcessCli();
        var ended = (await mcpsm.RunAsync("--version")).Done();
        Assert.Equal(ProductInfo.Version + "\n", ended.Out);
        Assert.Matches(@"^\d+\.\d+\.\d+(-[0-9a-z.]+)?$", ProductInfo.Version);
        Assert.Equal("", ended.Error);
        using var process = new CliProcess();
        Assert.Equal(ended.Out, (await process.RunAsync("--version")).Done().Out.ReplaceLineEndings("\n"));
    }

    [GeneratedRegex(@"(mcpsm [^|>)""#\n]+)")]
    private static partial Regex Example();

    private static string Usage(string help) => help.Split("Usage:\n")[1].Split("\n\n")[0];

    /// <summary>Matches the options in the list of options.</summary>
    [GeneratedRegex(@"(?:^  |, )(--?[a-z][a-z-]*|-\?)(?=[ ,])", RegexOptions.Multiline)]
    private static partial Regex DocumentedOptions();

    [GeneratedRegex(@"<[a-z]+>")]
    private static partial Regex Argument();

    [GeneratedRegex(@"^  ([a-z-]+) ", RegexOptions.Multiline)]
    private static partial Regex Subcommands();
}
