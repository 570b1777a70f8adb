using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Remedies;

namespace McpSm.Commands.Vaults;

/// <summary><c>vault use</c>: selects the vault for new credentials, and moves the present ones there if the user wants that.</summary>
internal sealed class UseCommand : McpsmSubcommand
{
    private readonly Argument<string> _vault = new("vault") { Description = "Its name, as mcpsm vault list shows it" };
    private readonly Option<bool> _move = new("--move") { Description = "Take all that is kept elsewhere along" };

    public UseCommand(CommandContext context) : base(context, "use", "Keep credentials in another vault from now on")
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
            Context.Succeed($"Credentials are kept in '{vault}'; {count} item{(count == 1 ? " was" : "s were")} moved there.");
            return ExitCode.Done;
        }
        var elsewhere = await Context.Authenticator.Vaults.UseAsync(vault, cancellationToken).ConfigureAwait(false);
        Context.Succeed($"Credentials are kept in '{vault}' from now on.");
        if (elsewhere.Count > 0)
        {
            Context.Hint($"Those of {string.Join(", ", elsewhere)} stay where they are. To take them along: {NextCommand.For("vault use", vault, "--move", "<vault>")}");
        }
        return ExitCode.Done;
    }
}
