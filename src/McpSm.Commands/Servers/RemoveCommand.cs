using System.CommandLine;
using McpSm.Commands.Remedies;

namespace McpSm.Commands.Servers;

/// <summary><c>remove</c>: removes a server from the catalog, and revokes and removes its credentials.</summary>
internal sealed class RemoveCommand : ServerSubcommand
{
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Skip the confirmation prompt" };

    public RemoveCommand(CommandContext context) : base(context, "remove", "Remove a server and its credentials")
    {
        Add(_yes);
        Examples = ["mcpsm remove my-api --yes"];
    }

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        if (!parsed.GetValue(_yes) && !await Context.Interaction.ConfirmAsync(
            $"Remove '{server.Name}' and its credentials?", NextCommand.For("remove", server.Id, "--yes"), cancellationToken).ConfigureAwait(false))
        {
            Context.Hint("Nothing was removed.");
            return ExitCode.Failed;
        }
        var result = await Context.Authenticator.Servers.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        Context.Succeed($"Server '{server.Name}' removed.");
        Context.WarnIfNotRevoked(result.RevocationFailure);
        return ExitCode.Done;
    }
}
