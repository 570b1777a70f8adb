using System.Management.Automation;
using McpSm.Core.SignIn;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Removes a server and its credentials.</summary>
[Cmdlet(VerbsCommon.Remove, "McpServer", HelpUri = HelpUris.Folder + "Remove-McpServer.md", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
public sealed class RemoveMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => Confirmed(Force, s.Name, "Remove MCP server and its credentials")).ToList(), async (server, cancellationToken) =>
        {
            var removed = await Authenticator.Servers.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
            WarnOf(removed);
        });
}
