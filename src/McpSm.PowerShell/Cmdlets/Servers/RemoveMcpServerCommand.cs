using System.Management.Automation;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Removes servers and their credentials.</summary>
[Cmdlet(VerbsCommon.Remove, "McpServer", HelpUri = HelpUris.Folder + "Remove-McpServer.md", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
public sealed class RemoveMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Does not ask for confirmation.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => Confirmed(Force, s.Name, "Remove MCP server and its credentials")).ToList(), async (server, cancellationToken) =>
        {
            WarnOfRevocation(await Authenticator.Servers.RemoveAsync(server, cancellationToken).ConfigureAwait(false));
        });
}
