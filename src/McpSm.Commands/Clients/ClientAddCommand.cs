using System.CommandLine;
using McpSm.Clients.Management;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands.Clients;

/// <summary><c>client add</c>: writes an entry for a server into the file of an MCP client, so that the client starts the relay.</summary>
internal sealed class ClientAddCommand : ClientSubcommand
{
    private readonly Argument<string[]> _servers = new("server") { Description = "Server ids, names or URLs", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string> _form = new("--as") { Description = "stdio starts the relay; http asks for headers" };
    private readonly Option<string?> _name = new("--name") { Description = "Name of the entry (default: the id of the server)" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Replace another entry of that name" };

    public ClientAddCommand(CommandContext context) : base(context, "add", "Add servers to an MCP client")
    {
        _form.AcceptOnlyFromAmong("stdio", "http");
        Add(Client);
        Add(_servers);
        Add(All);
        Add(_form);
        Add(_name);
        Add(_force);
        AddFileOptions();
        Examples = ["mcpsm client add cursor my-api", "mcpsm client add vscode my-api --project", "mcpsm client add --all my-api --dry-run"];
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (client, names) = ReadWords(parsed, _servers);
        var servers = names.Select(Context.Catalog.Get).DistinctBy(server => server.Id).ToList();
        if (servers.Count > 1 && parsed.GetValue(_name) is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A name is for one server only.", "Add the servers one by one, or leave out '--name'.");
        }
        var locations = FindLocations(parsed, client);
        if (locations.Count == 0)
        {
            Context.Hint("No MCP client was found on this machine.");
            return ExitCode.Done;
        }
        var program = RelayExecutable.Find(Context.AppEnvironment);
        return await ForEachAsync(locations, location => AddAsync(location, servers, program, parsed, cancellationToken), IsDryRun(parsed))
            .ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<ClientChange>> AddAsync(
        ClientLocation location, IReadOnlyList<McpServer> servers, RelayProgram program, ParseResult parsed, CancellationToken cancellationToken)
    {
        var changes = new List<ClientChange>();
        foreach (var server in servers)
        {
            var request = new AddRequest(server, parsed.GetValue(_name), parsed.GetValue(_form) == "http", parsed.GetValue(_force), IsDryRun(parsed));
            changes.Add(await Configuration.AddAsync(location, request, program, cancellationToken).ConfigureAwait(false));
        }
        return changes;
    }
}
