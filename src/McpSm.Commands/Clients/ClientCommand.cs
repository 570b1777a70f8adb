using System.CommandLine;
using McpSm.Commands.CommandLine;

namespace McpSm.Commands.Clients;

/// <summary>The commands under <c>client</c>, and <c>client</c> itself, a short form of <c>client list</c>.</summary>
internal sealed class ClientCommand : McpsmSubcommand
{
    private readonly Option<bool> _json = ClientListCommand.CreateJsonOption();

    public ClientCommand(CommandContext context) : base(context, "client", "Connect MCP clients to your servers")
    {
        Add(_json);
        Add(new ClientListCommand(context));
        Add(new ClientAddCommand(context));
        Add(new ClientRemoveCommand(context));
        Add(new ClientSyncCommand(context));
        Examples = ["mcpsm client list", "mcpsm client add cursor my-api"];
    }

    public override bool Changes(ParseResult parsed) => false;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken) =>
        ClientListCommand.PrintAsync(parsed.GetValue(_json), Context);
}
