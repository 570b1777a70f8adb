using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using McpSm.Commands.Output;

namespace McpSm.Commands.CommandLine;

/// <summary>The help of a command, which ends in how it is used.</summary>
internal sealed class HelpWithExamplesAction(HelpAction help, ICommandConsole console) : SynchronousCommandLineAction
{
    private const int MinimumWidth = 20;

    /// <summary>A request that an MCP server answers: the first one of a session.</summary>
    private const string Curl = """
        curl -H "$(mcpsm auth token my-api --header)" \
            -H 'Accept: application/json, text/event-stream' \
            --json '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{
              "protocolVersion":"2025-11-25","capabilities":{},
              "clientInfo":{"name":"me","version":"1"}}}' https://example.com/mcp
        """;

    /// <summary>By the command's words after <c>mcpsm</c>.</summary>
    private static readonly Dictionary<string, string[]> All = new()
    {
        [""] =
        [
            "mcpsm add my-api --type http --url https://example.com/mcp",
            "mcpsm auth login my-api",
            Curl,
        ],
        ["add"] =
        [
            "mcpsm add my-api --type http --url https://example.com/mcp",
            "mcpsm add old --type sse --url https://example.com/sse --no-oauth --token -",
            "mcpsm add work --type http --url https://example.com/mcp --client-id abc",
        ],
        ["server"] = ["mcpsm server update my-api --url https://example.com/v2/mcp"],
        ["server update"] =
        [
            "mcpsm server update my-api --url https://example.com/v2/mcp",
            "mcpsm server update my-api --issuer https://login.example.com --scope mcp:read",
            "mcpsm server update my-api --dpop always",
            "printenv API_KEY | mcpsm server update my-api --header x-key=-",
            "mcpsm server update my-api --authorize-param access_type=offline   # Google",
            "mcpsm server update my-api --allow-legacy-endpoints=false",
        ],
        ["list"] = ["mcpsm list", "mcpsm list --json"],
        ["remove"] = ["mcpsm remove my-api --yes"],
        ["test"] = ["mcpsm test", "mcpsm test my-api --json"],
        ["auth"] = ["mcpsm auth my-api", "mcpsm auth status"],
        ["auth status"] = ["mcpsm auth status", "mcpsm auth status my-api --json"],
        ["auth login"] =
        [
            "mcpsm auth login my-api",
            "mcpsm auth login https://example.com/mcp --name my-api",
            "mcpsm auth login my-api --no-browser            # over SSH",
            "mcpsm auth login my-api --device                # with a phone",
            "mcpsm auth login my-api --client-credentials    # in a CI job",
            "mcpsm auth login my-api --assertion-file jwt    # in Kubernetes",
        ],
        ["auth logout"] = ["mcpsm auth logout my-api", "mcpsm auth logout my-api --force"],
        ["auth login-all"] = ["mcpsm auth login-all", "mcpsm auth login-all --non-interactive"],
        ["auth refresh"] = ["mcpsm auth refresh my-api"],
        ["auth set"] = ["mcpsm auth set my-api", "printenv API_TOKEN | mcpsm auth set my-api -"],
        ["auth revoke"] = ["mcpsm auth revoke my-api"],
        ["auth forget"] = ["mcpsm auth forget my-api            # after an error page of the issuer"],
        ["auth token"] =
        [
            Curl,
            "mcpsm auth token my-api --json",
            "mcpsm auth token my-api --header --method GET   # one request of a bound token",
            "mcpsm auth token my-api --renew                 # the last was refused",
        ],
        ["auth reject"] = ["printenv REFUSED_TOKEN | mcpsm auth reject my-api"],
        ["identity"] = ["mcpsm identity", "mcpsm identity --json"],
        ["identity use"] =
        [
            "mcpsm identity use https://login.example.com --client-id abc",
            "mcpsm identity use https://login.example.com --scope offline_access",
        ],
        ["identity login"] = ["mcpsm identity login", "mcpsm identity login --no-browser"],
        ["identity logout"] = ["mcpsm identity logout --force"],
        ["identity none"] = ["mcpsm identity none"],
        ["vault"] = ["mcpsm vault list", "mcpsm vault use file --move"],
        ["vault list"] = ["mcpsm vault list --json"],
        ["vault use"] = ["mcpsm vault use secret-service", "mcpsm vault use file --move"],
        ["vault rekey"] = ["mcpsm vault rekey --passphrase", "mcpsm vault rekey --key-file"],
        ["completion"] = ["mcpsm completion bash >> ~/.bashrc", "mcpsm completion fish | source"],
        ["import"] = ["mcpsm import --dry-run", "mcpsm import my-api"],
    };

    public override int Invoke(ParseResult parseResult)
    {
        // The library cannot part words in a terminal of a few columns.
        help.MaxWidth = Math.Max(help.MaxWidth, MinimumWidth);
        var code = help.Invoke(parseResult);
        if (All.GetValueOrDefault(UsageError.Path(parseResult.CommandResult)["mcpsm".Length..].TrimStart()) is { } examples)
        {
            console.Out.WriteLine(examples.Length == 1 ? "Example:" : "Examples:");
            foreach (var example in examples)
            {
                console.Out.WriteLine($"  {example.ReplaceLineEndings("\n  ")}");
            }
        }
        return code;
    }
}
