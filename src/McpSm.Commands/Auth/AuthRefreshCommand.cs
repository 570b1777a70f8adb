using System.CommandLine;
using McpSm.Commands.Output;
using McpSm.Commands.Servers;

namespace McpSm.Commands.Auth;

/// <summary><c>auth refresh</c>: renews the token of a server, even if it is still valid.</summary>
internal sealed class AuthRefreshCommand : ServerSubcommand
{
    public AuthRefreshCommand(CommandContext context) : base(context, "refresh", "Renew the token of a server now") => Examples = ["mcpsm auth refresh my-api"];

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        await Context.Authenticator.Tokens.RenewAsync(server, cancellationToken).ConfigureAwait(false);
        var status = Context.Authenticator.Status(server);
        Context.Succeed($"Token of '{server.Name}' renewed{StatusText.Expiry(status, Context.AppEnvironment.Time.GetUtcNow())}.");
        return ExitCode.Done;
    }
}
