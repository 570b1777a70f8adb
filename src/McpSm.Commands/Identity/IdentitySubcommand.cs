using System.CommandLine;
using McpSm.Commands.CommandLine;

namespace McpSm.Commands.Identity;

/// <summary>A command under <c>identity</c>, which may read or write the session at an identity provider.</summary>
internal abstract class IdentitySubcommand(CommandContext context, string name, string description) : McpsmSubcommand(context, name, description)
{
    public override bool Changes(ParseResult parsed) => true;

    public override IEnumerable<string?> FindVaults(ParseResult parsed) => VaultOption.Read(parsed) is { } requested ? [requested]
        : [Context.Authenticator.Vaults.NameFor(null), .. Context.Authenticator.IdentityProviders.List().Select(p => p.Vault)];
}
