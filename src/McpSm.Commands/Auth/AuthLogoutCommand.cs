using System.CommandLine;
using McpSm.Commands.Remedies;
using McpSm.Commands.Servers;
using McpSm.Core.Credentials;

namespace McpSm.Commands.Auth;

/// <summary><c>auth logout</c>: revokes and removes the OAuth tokens of a server.</summary>
internal sealed class AuthLogoutCommand : ServerSubcommand
{
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Skip the confirmation prompt" };
    private readonly Option<bool> _local = new("--local") { Description = "Remove the tokens without revoking them" };

    public AuthLogoutCommand(CommandContext context) : base(context, "logout", "Sign out of a server: revoke and remove its OAuth tokens")
    {
        Add(_force);
        Add(_local);
        Examples = ["mcpsm auth logout my-api", "mcpsm auth logout my-api --force"];
    }

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        var kind = Context.Authenticator.Status(server).Kind;
        if (kind == CredentialKind.OAuth && !parsed.GetValue(_force) && !await Context.Interaction.ConfirmAsync(
            $"Sign out of '{server.Name}'?", NextCommand.For("auth logout", server.Id, "--force"), cancellationToken).ConfigureAwait(false))
        {
            Context.Hint("You are still signed in.");
            return ExitCode.Failed;
        }
        var result = await Context.Authenticator.SignIn.SignOutAsync(server, parsed.GetValue(_local), cancellationToken).ConfigureAwait(false);
        if (result.HadOAuth)
        {
            Context.Succeed($"Signed out of '{server.Name}'.");
            Context.WarnIfNotRevoked(result.RevocationFailure);
        }
        else
        {
            Context.Hint(result.HasBearer
                ? $"'{server.Name}' has a bearer token, which signing out does not remove. Remove it with: {NextCommand.For("auth revoke", server.Id)}"
                : $"You are not signed in to '{server.Name}'.");
        }
        return ExitCode.Done;
    }
}
