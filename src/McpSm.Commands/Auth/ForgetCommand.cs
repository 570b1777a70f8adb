using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Remedies;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;

namespace McpSm.Commands.Auth;

/// <summary><c>auth forget</c>: drops the registration with a server's issuer.</summary>
internal static class ForgetCommand
{
    public static Command Create(CommandContext context)
    {
        var id = new Argument<string>("server") { Description = "Its id, name or URL" };
        var command = new Command("forget", "Drop the client that its issuer has registered") { id };
        command.SetChangeAction((parsed, cancellationToken) => context.RunAsync(async () =>
        {
            var server = context.Catalog.Get(parsed.GetValue(id)!);
            var forgotten = await context.Authenticator.ForgetClientAsync(server, cancellationToken).ConfigureAwait(false);
            if (forgotten.WasRegistered)
            {
                context.Succeed($"Registration of '{server.Name}' with {UntrustedText.Sanitize(forgotten.Issuer)} dropped.");
                context.Hint($"The next sign-in registers again: {NextCommand.For("auth login", server.Id)}");
            }
            else
            {
                context.Hint(forgotten.Issuer is null ? $"'{server.Name}' asks for no sign-in, and there is no registration for it."
                    : server.ClientId is not null ? $"'{server.Name}' signs in as the client that you supplied. There is no registration to drop."
                    : $"There is no registration of '{server.Name}' with {UntrustedText.Sanitize(forgotten.Issuer)}.");
            }
            return ExitCode.Done;
        }));
        return command;
    }
}
