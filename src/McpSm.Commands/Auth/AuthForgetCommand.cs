using System.CommandLine;
using McpSm.Commands.Remedies;
using McpSm.Commands.Servers;
using McpSm.Core.Errors;

namespace McpSm.Commands.Auth;

/// <summary><c>auth forget</c>: deletes the stored client registration with the issuer of a server.</summary>
internal sealed class AuthForgetCommand : ServerSubcommand
{
    public AuthForgetCommand(CommandContext context) : base(context, "forget", "Delete the client registration with the server's issuer") =>
        Examples = ["mcpsm auth forget my-api            # if the issuer shows an error page"];

    public override bool Changes(ParseResult parsed) => true;

    /// <summary>Includes the vault of the registration, which can differ from the vault of the credential.</summary>
    public override IEnumerable<string?> FindVaults(ParseResult parsed) =>
        [.. base.FindVaults(parsed),
            .. Context.Catalog.Find(parsed.GetValue(Server)!) is { } server ? Context.Authenticator.Registrations.VaultsOf(server) : []];

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        var forgotten = await Context.Authenticator.Registrations.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        if (forgotten.WasRegistered)
        {
            Context.Succeed($"Client registration of '{server.Name}' with {UntrustedText.Sanitize(forgotten.Issuer)} deleted.");
            Context.Hint($"The next sign-in registers again: {NextCommand.For("auth login", server.Id)}");
        }
        else
        {
            Context.Hint(forgotten.Issuer is null ? $"'{server.Name}' does not ask for a sign-in and has no client registration."
                : server.ClientId is not null ? $"'{server.Name}' uses a client id that you supplied. There is no registration to delete."
                : $"'{server.Name}' has no client registration with {UntrustedText.Sanitize(forgotten.Issuer)}.");
        }
        return ExitCode.Done;
    }
}
