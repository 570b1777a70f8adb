using System.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.Identity;

/// <summary><c>identity logout</c>: revokes and removes the sessions at identity providers.</summary>
internal sealed class LogoutCommand : IdentitySubcommand
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Do not ask" };
    private readonly Option<bool> _local = new("--local") { Description = "Do not tell the provider" };

    public LogoutCommand(CommandContext context) : base(context, "logout", "Sign out there: revoke and remove the session")
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
            Context.Hint("You are not signed in at an identity provider.");
            return ExitCode.Done;
        }
        if (!parsed.GetValue(_force) && !await Context.Interaction.ConfirmAsync(
            $"Sign out of {string.Join(", ", issuers.Select(i => UntrustedText.Sanitize(i)))}?", "mcpsm identity logout --force", cancellationToken).ConfigureAwait(false))
        {
            Context.Hint("Still signed in.");
            return ExitCode.Failed;
        }
        foreach (var issuer in issuers)
        {
            var revocationFailure = await Context.Authenticator.IdentityProviders.SignOutAsync(issuer, parsed.GetValue(_local), cancellationToken).ConfigureAwait(false);
            Context.Succeed($"Signed out of {UntrustedText.Sanitize(issuer)}.");
            Context.WarnIfNotRevoked(revocationFailure);
        }
        Context.Hint("Servers keep their tokens until these expire. To end one now: mcpsm auth logout <server>");
        return ExitCode.Done;
    }
}
