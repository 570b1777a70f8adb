using System.CommandLine;

namespace McpSm.Commands.Clients;

/// <summary><c>client sync</c>: makes the entries of MCP clients start this executable, after it was moved or updated.</summary>
internal sealed class ClientSyncCommand : ClientSubcommand
{
    public ClientSyncCommand(CommandContext context) : base(context, "sync", "Repair the entries after mcpsm was moved")
    {
        Add(Client);
        AddFileOptions();
        Examples = ["mcpsm client sync", "mcpsm client sync cursor --dry-run"];
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var program = RelayExecutable.Find(Context.AppEnvironment);
        var found = 0;
        var exitCode = await ForEachAsync(FindLocations(parsed, parsed.GetValue(Client)), async location =>
        {
            var changes = await Configuration.SyncAsync(location, program, IsDryRun(parsed), cancellationToken).ConfigureAwait(false);
            found += changes.Count;
            return changes;
        }, IsDryRun(parsed)).ConfigureAwait(false);
        if (found == 0 && exitCode == ExitCode.Done)
        {
            Context.Hint("No client has an entry that starts mcpsm.");
        }
        return exitCode;
    }
}
