using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core;
using McpSm.Core.Discovery;

namespace McpSm.Commands.Servers;

/// <summary><c>test</c>: connects to servers as an MCP client does, with the stored credentials.</summary>
internal sealed class TestCommand : ServerSubcommand
{
    private const int DefaultTimeoutSeconds = 30;
    private const int FirstErrorStatus = 400;

    private readonly Option<bool> _json = new("--json") { Description = "Print a JSON array" };
    private readonly Option<int?> _timeout = NumberOption.Timeout("Seconds to wait for each server (30)");
    private readonly Option<int> _throttle = NumberOption.ThrottleLimit(32);

    public TestCommand(CommandContext context) : base(context, "test", "Test the connection to servers as an MCP client", isOptional: true)
    {
        Add(_json);
        Add(_timeout);
        Add(_throttle);
        Examples = ["mcpsm test", "mcpsm test my-api --json"];
    }

    public override bool Changes(ParseResult parsed) => false;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var servers = GetServers(parsed);
        var timeout = TimeSpan.FromSeconds(parsed.GetValue(_timeout) ?? DefaultTimeoutSeconds);
        var results = new McpTestResult[servers.Count];
        await CommandContext.ForEachAsync(servers.Index(), parsed.GetValue(_throttle), cancellationToken, async (item, cancel) =>
        {
            var result = results[item.Index] = await Context.Authenticator.Tester.TestAsync(item.Item, timeout, cancel).ConfigureAwait(false);
            if (!parsed.GetValue(_json))
            {
                Print(result);
            }
        }).ConfigureAwait(false);
        if (parsed.GetValue(_json))
        {
            JsonOutput.Array(Context.Console.Out, results, JsonOutput.Test);
        }
        else if (servers.Count == 0)
        {
            Context.HintNoServers();
        }
        return results.All(r => r.Success) ? ExitCode.Done : ExitCode.Failed;
    }

    private void Print(McpTestResult result)
    {
        using var _ = Context.Writing.EnterScope();
        Context.Print($"Testing {result.Name}... ", result.Success ? DescribeSuccess(result) : DescribeFailure(result));
        if (result.Remedy is { } remedy)
        {
            Context.Hint($"  {remedy}");
        }
    }

    private static string DescribeSuccess(McpTestResult result) =>
        $"{StatusText.SuccessSymbol} OK ({result.ServerName} {result.ServerVersion}, protocol {result.ProtocolVersion}, "
        + $"{result.ToolCount} tool{(result.ToolCount == 1 ? "" : "s")}, {result.Latency!.Value.TotalMilliseconds:0} ms)";

    private static string DescribeFailure(McpTestResult result)
    {
        var cause = result.StatusCode is { } status and >= FirstErrorStatus ? ChallengeProbe.DescribeStatus(status) : result.Error!.TrimEnd('.');
        return $"{StatusText.FailureSymbol} Failed ({cause})";
    }
}
