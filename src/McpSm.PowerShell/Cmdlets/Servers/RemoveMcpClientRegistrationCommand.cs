using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Drops the registration with a server's issuer: the next sign-in registers another client.</summary>
[Cmdlet(VerbsCommon.Remove, "McpClientRegistration", HelpUri = HelpUris.Folder + "Remove-McpClientRegistration.md", SupportsShouldProcess = true)]
public sealed class RemoveMcpClientRegistrationCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Drop registration with its issuer")).ToList(), async (server, cancellationToken) =>
        {
            var forgotten = await Authenticator.Registrations.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
            if (!forgotten.WasRegistered)
            {
                Warn(forgotten.Issuer is null ? $"'{server.Name}' asks for no sign-in, and there is no registration for it."
                    : $"There is no registration of '{server.Name}' with {UntrustedText.Sanitize(forgotten.Issuer)}.");
            }
        });
}
