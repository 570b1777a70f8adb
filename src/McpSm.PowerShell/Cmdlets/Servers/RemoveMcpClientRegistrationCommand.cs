using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Removes the client registration with the issuer of a server. The next sign-in registers a new client.</summary>
[Cmdlet(VerbsCommon.Remove, "McpClientRegistration", HelpUri = HelpUris.Folder + "Remove-McpClientRegistration.md", SupportsShouldProcess = true)]
public sealed class RemoveMcpClientRegistrationCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Remove the registration with its issuer")).ToList(), async (server, cancellationToken) =>
        {
            var result = await Authenticator.Registrations.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
            if (!result.WasRegistered)
            {
                Warn(result.Issuer is null ? $"'{server.Name}' does not require a sign-in, so there is no registration for it."
                    : $"There is no registration for '{server.Name}' with {UntrustedText.Sanitize(result.Issuer)}.");
            }
        });
}
