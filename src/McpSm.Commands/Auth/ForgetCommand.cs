using System.CommandLine;
using McpSm.Commands.Remedies;
using McpSm.Commands.Servers;
using McpSm.Core.Errors;

namespace McpSm.Commands.Auth;

/// <summary><c>auth forget</c>: deletes the stored client registration with the issuer of a server.</summary>
internal sealed class ForgetCommand : ServerSubcommand
{
    public ForgetCommand(CommandContext context) : base(context, "forget", "Drop the client that its issuer has registered") =>
        Examples = ["mcpsm auth forget my-api            # after an error page of the issuer"];

    public override bool Changes(ParseResult parsed) => true;

    /// <summary>A registration is an item of its own, which may be in another vault than the credential.</summary>
    public override IEnumerable<string?> FindVaults(ParseResult parsed) =>
        [.. base.FindVaults(parsed), .. Context.Catalog.Find(parsed.GetValue(Server)!) is { } server ? Context.Authenticator.Registrations.VaultsOf(server) : []];

    protected override async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var server = GetServer(parsed);
        var forgotten = await Context.Authenticator.Registrations.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        if (forgotten.WasRegistered)
        {
            Context.Succeed($"Registration of '{server.Name}' with {UntrustedText.Sanitize(forgotten.Issuer)} dropped.");
            Context.Hint($"The next sign-in registers again: {NextCommand.For("auth login", server.Id)}");
        }
        else
        {
            Context.Hint(forgotten.Issuer is null ? $"'{server.Name}' asks for no sign-in, and there is no registration for it."
                : server.ClientId is not null ? $"'{server.Name}' signs in as the client that you supplied. There is no registration to drop."
                : $"There is no registration of '{server.Name}' with {UntrustedText.Sanitize(forgotten.Issuer)}.");
        }
        return ExitCode.Done;
    }
}
