using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Remedies;

namespace McpSm.Commands.Vaults;

/// <summary><c>vault use</c>: selects the vault for new credentials, and moves the present ones there if the user wants that.</summary>
internal sealed class VaultUseCommand : McpsmSubcommand
{
    private readonly Argument<string> _vault = new("vault") { Description = "Vault name, from 'mcpsm vault list'" };
    private readonly Option<bool> _move = new("--move") { Description = "Move all stored credentials to this vault" };

    public VaultUseCommand(CommandContext context) : base(context, "use", "Select the vault for new credentials")
    {
        Add(_vault);
        Add(_move);
        Examples = ["mcpsm vault use secret-service", "mcpsm vault use file --move"];
    }

    public override bool Changes(ParseResult parsed) => true;

    public override IEnumerable<string?> FindVaults(ParseResult parsed)
    {
        var vault = parsed.GetValue(_vault)!;
        // Yielded first: if only PowerShell can open the vault, damaged files do not matter here.
        yield return vault;
        foreach (var source in parsed.GetValue(_move) ? Context.Authenticator.Vaults.SourcesOfMove(vault) : [])
        {
            yield return source;
        }
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var vault = parsed.GetValue(_vault)!;
        if (parsed.GetValue(_move))
        {
            var count = await Context.Authenticator.Vaults.MoveToAsync(vault, cancellationToken).ConfigureAwait(false);
            Context.Succeed($"Moved {count} item{(count == 1 ? "" : "s")} to '{vault}'. New credentials are stored there.");
            return ExitCode.Done;
        }
        var elsewhere = await Context.Authenticator.Vaults.UseAsync(vault, cancellationToken).ConfigureAwait(false);
        Context.Succeed($"New credentials are stored in '{vault}'.");
        if (elsewhere.Count > 0)
        {
            Context.Hint($"The credentials of {string.Join(", ", elsewhere)} stay in their present vault. "
                + $"Move them with: {NextCommand.For("vault use", vault, "--move", "<vault>")}");
        }
        return ExitCode.Done;
    }
}
