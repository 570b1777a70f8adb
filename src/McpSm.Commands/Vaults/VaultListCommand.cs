using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Core.Errors;

namespace McpSm.Commands.Vaults;

/// <summary><c>vault list</c>: lists the vaults of this system and how each protects its secrets.</summary>
internal sealed class VaultListCommand : McpsmSubcommand
{
    private readonly Option<bool> _json = CreateJsonOption();

    public VaultListCommand(CommandContext context) : base(context, "list", "List the vaults of this system")
    {
        Add(_json);
        Examples = ["mcpsm vault list --json"];
    }

    public static Option<bool> CreateJsonOption() => new("--json") { Description = "Print a JSON array" };

    public static async Task<int> PrintAsync(bool asJson, CommandContext context, CancellationToken cancellationToken)
    {
        var vaults = await context.Authenticator.Vaults.ListAsync(cancellationToken).ConfigureAwait(false);
        if (asJson)
        {
            JsonOutput.Array(context.Console.Out, vaults, JsonOutput.Vault);
            return ExitCode.Done;
        }
        foreach (var vault in vaults)
        {
            context.Print($"{(vault.InUse ? "*" : " ")} {UntrustedText.Sanitize(vault.Name)}{(vault.Why is null ? "" : $" (in use: {vault.Why})")}");
            context.Print($"    {vault.Protection}");
        }
        if (!vaults.Any(v => v.InUse))
        {
            context.Hint("No vault is selected yet. The first one that works is selected when you first sign in.");
        }
        return ExitCode.Done;
    }

    public override bool Changes(ParseResult parsed) => false;

    protected override Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken) =>
        PrintAsync(parsed.GetValue(_json), Context, cancellationToken);
}
