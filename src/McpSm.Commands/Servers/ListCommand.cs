using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;

namespace McpSm.Commands.Servers;

/// <summary><c>list</c>: lists the servers of the catalog.</summary>
internal sealed class ListCommand : McpsmSubcommand
{
    private readonly Option<bool> _json = new("--json") { Description = "Print a JSON array" };

    public ListCommand(CommandContext context) : base(context, "list", "List servers")
    {
        Add(_json);
        Examples = ["mcpsm list", "mcpsm list --json"];
    }

    public override bool Changes(ParseResult parsed) => false;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var servers = Context.Catalog.List();
        if (parsed.GetValue(_json))
        {
            PrintJson(servers);
        }
        else if (servers.Count == 0)
        {
            Context.HintNoServers();
        }
        else
        {
            Print(servers);
        }
        return Task.FromResult(ExitCode.Done);
    }

    private void PrintJson(IReadOnlyList<McpServer> servers)
    {
        JsonOutput.Array(Context.Console.Out, SecretNameReader.WithSecretNames(Context.AppEnvironment, servers, out var failure), JsonOutput.Server);
        if (failure is not null)
        {
            Context.Warn($"could not read which secrets the servers have. {failure.Message}");
        }
    }

    private void Print(IReadOnlyList<McpServer> servers)
    {
        var width = servers.Max(s => DisplayWidth.Measure(s.Name));
        foreach (var server in servers)
        {
            var transport = server.Transport == McpTransport.Sse ? "sse " : "http";
            Context.Print($"  {server.Name.PadColumns(width)}  {transport}  {UntrustedText.Sanitize(server.Url)}");
        }
    }
}
