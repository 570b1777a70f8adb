using System.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Identity;

/// <summary><c>identity none</c>: removes the setting of the identity provider, and signs out there.</summary>
internal sealed class NoneCommand : IdentitySubcommand
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Do not ask" };

    public NoneCommand(CommandContext context) : base(context, "none", "Use no identity provider any more, and sign out there")
    {
        Add(_force);
        Examples = ["mcpsm identity none"];
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (Context.Authenticator.IdentityProviders.Current is not { Issuer: var issuer })
        {
            Context.Hint("No identity provider is set.");
            return ExitCode.Done;
        }
        if (!parsed.GetValue(_force) && !await Context.Interaction.ConfirmAsync(
            $"Use {UntrustedText.Sanitize(issuer)} no more, and sign out there?", "mcpsm identity none --force", cancellationToken).ConfigureAwait(false))
        {
            Context.Hint("Still set.");
            return ExitCode.Failed;
        }
        var revocationFailure = await Context.Authenticator.IdentityProviders.RemoveAsync(issuer, cancellationToken).ConfigureAwait(false);
        Context.Succeed("No identity provider is used any more.");
        Context.WarnIfNotRevoked(revocationFailure);
        return ExitCode.Done;
    }
}
