using System.CommandLine;
using McpSm.Commands.CommandLine;

namespace McpSm.Commands.Vaults;

/// <summary>The commands under <c>vault</c>, and <c>vault</c> itself, a short form of <c>vault list</c>.</summary>
internal sealed class VaultCommand : McpsmSubcommand
{
    private readonly Option<bool> _json = VaultListCommand.CreateJsonOption();

    public VaultCommand(CommandContext context) : base(context, "vault", "Show or select the vault for credentials")
    {
        Add(_json);
        Add(new VaultListCommand(context));
        Add(new VaultUseCommand(context));
        Add(new VaultRekeyCommand(context));
        Examples = ["mcpsm vault list", "mcpsm vault use file --move"];
    }

    public override bool Changes(ParseResult parsed) => false;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken) =>
        VaultListCommand.PrintAsync(parsed.GetValue(_json), Context, cancellationToken);
}
