using System.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Identity;

/// <summary><c>identity logout</c>: revokes and removes the sessions at identity providers.</summary>
internal sealed class IdentityLogoutCommand : IdentitySubcommand
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Skip the confirmation prompt" };
    private readonly Option<bool> _local = new("--local") { Description = "Remove the session without revoking it" };

    public IdentityLogoutCommand(CommandContext context) : base(context, "logout", "Sign out of the identity provider: revoke and remove the session")
    {
        Add(_force);
        Add(_local);
        Examples = ["mcpsm identity logout --force"];
    }

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var issuers = Context.Authenticator.IdentityProviders.List().Where(p => p.SignedInAt is not null).Select(p => p.Issuer).ToList();
        if (issuers.Count == 0)
        {
            Context.Hint("You are not signed in to an identity provider.");
            return ExitCode.Done;
        }
        if (!parsed.GetValue(_force) && !await Context.Interaction.ConfirmAsync(
            $"Sign out of {string.Join(", ", issuers.Select(i => UntrustedText.Sanitize(i)))}?",
            "mcpsm identity logout --force", cancellationToken).ConfigureAwait(false))
        {
            Context.Hint("You are still signed in.");
            return ExitCode.Failed;
        }
        foreach (var issuer in issuers)
        {
            var revocationFailure = await Context.Authenticator.IdentityProviders.SignOutAsync(issuer, parsed.GetValue(_local), cancellationToken)
                .ConfigureAwait(false);
            Context.Succeed($"Signed out of {UntrustedText.Sanitize(issuer)}.");
            Context.WarnIfNotRevoked(revocationFailure);
        }
        Context.Hint("The tokens of servers stay valid until they expire. To sign out of a server now: mcpsm auth logout <server>");
        return ExitCode.Done;
    }
}
