using System.CommandLine;
using McpSm.Commands.Servers;

namespace McpSm.Commands.Auth;

/// <summary><c>auth revoke</c>: removes every credential of a server, and revokes the tokens if the issuer supports that.</summary>
internal sealed class AuthRevokeCommand : ServerSubcommand
{
    public AuthRevokeCommand(CommandContext context) : base(context, "revoke", "Revoke and remove all credentials of a server") =>
        Examples = ["mcpsm auth revoke my-api"];

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        var result = await Context.Authenticator.Servers.ClearCredentialsAsync(server, cancellationToken).ConfigureAwait(false);
        if (result.HadOAuth || result.HasBearer)
        {
            Context.Succeed($"Credentials of '{server.Name}' removed.");
            Context.WarnIfNotRevoked(result.RevocationFailure);
        }
        else
        {
            Context.Hint($"'{server.Name}' has no credential.");
        }
        return ExitCode.Done;
    }
}
