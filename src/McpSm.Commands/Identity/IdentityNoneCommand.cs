using System.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Identity;

/// <summary><c>identity none</c>: removes the setting of the identity provider, and signs out there.</summary>
internal sealed class IdentityNoneCommand : IdentitySubcommand
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Skip the confirmation prompt" };

    public IdentityNoneCommand(CommandContext context) : base(context, "none", "Stop using an identity provider and sign out of it")
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
            $"Stop using {UntrustedText.Sanitize(issuer)} and sign out of it?", "mcpsm identity none --force", cancellationToken).ConfigureAwait(false))
        {
            Context.Hint("The identity provider is still set.");
            return ExitCode.Failed;
        }
        var revocationFailure = await Context.Authenticator.IdentityProviders.RemoveAsync(issuer, cancellationToken).ConfigureAwait(false);
        Context.Succeed("Mcpsm no longer uses an identity provider.");
        Context.WarnIfNotRevoked(revocationFailure);
        return ExitCode.Done;
    }
}
