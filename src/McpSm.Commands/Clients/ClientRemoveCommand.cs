using System.CommandLine;
using McpSm.Clients.Management;
using McpSm.Core.Servers;

namespace McpSm.Commands.Clients;

/// <summary><c>client remove</c>: removes the entries of a server that use Mcpsm from the file of an MCP client.</summary>
internal sealed class ClientRemoveCommand : ClientSubcommand
{
    private readonly Argument<string[]> _servers = new("server") { Description = "Server ids, names or URLs", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _name = new("--name") { Description = "Name of the one entry to remove" };

    public ClientRemoveCommand(CommandContext context) : base(context, "remove", "Remove servers from an MCP client")
    {
        Add(Client);
        Add(_servers);
        Add(All);
        Add(_name);
        AddFileOptions();
        Examples = ["mcpsm client remove cursor my-api", "mcpsm client remove --all my-api"];
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (client, names) = ReadWords(parsed, _servers);
        // The catalog may no longer have the server.
        var all = Context.Catalog.List();
        var ids = names.Select(name => ServerLookup.Find(all, name)?.Id ?? name).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var removed = 0;
        var exitCode = await ForEachAsync(FindLocations(parsed, client), async location =>
        {
            var changes = new List<ClientChange>();
            foreach (var id in ids)
            {
                changes.AddRange(await Configuration.RemoveAsync(location, id, parsed.GetValue(_name), IsDryRun(parsed), cancellationToken)
                    .ConfigureAwait(false));
            }
            removed += changes.Count;
            return changes;
        }, IsDryRun(parsed)).ConfigureAwait(false);
        if (removed == 0 && exitCode == ExitCode.Done)
        {
            Context.Hint("No entry was found.");
        }
        return exitCode;
    }
}
