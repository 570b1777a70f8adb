using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Servers;

namespace McpSm.Commands.Auth;

/// <summary>
/// <c>auth reject</c>: reports that a server refused a token, so that the next <c>auth token</c> renews it. The token comes
/// through standard input.
/// </summary>
internal sealed class AuthRejectCommand : ServerSubcommand
{
    public AuthRejectCommand(CommandContext context) : base(context, "reject", "Report a token that the server refused") =>
        Examples = ["printenv REFUSED_TOKEN | mcpsm auth reject my-api"];

    public override bool ReadsStandardInput => true;

    public override bool Changes(ParseResult parsed) => true;

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        var token = await SecretInput.ReadTokenAsync("-", Context, cancellationToken).ConfigureAwait(false);
        Context.Succeed(await Context.Authenticator.Tokens.RejectAsync(server, token, cancellationToken).ConfigureAwait(false)
            ? $"The token of '{server.Name}' is marked as refused. The next 'mcpsm auth token' renews it."
            : $"This is not the stored token of '{server.Name}': it has already been replaced.");
        return ExitCode.Done;
    }
}
