using System.Management.Automation;
using McpSm.Core.Servers;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Adds a remote MCP server.</summary>
[Cmdlet(VerbsCommon.Add, "McpServer", HelpUri = HelpUris.Folder + "Add-McpServer.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpServer))]
public sealed class AddMcpServerCommand : ServerUpdateCmdlet
{
    /// <summary>A name for the server.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string Name { get; set; } = "";

    /// <summary>The URL of the server.</summary>
    [Parameter(Position = 1, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string Url { get; set; } = "";

    protected override void ProcessRecord()
    {
        if (ShouldProcess(Name, "Add MCP server"))
        {
            Run(cancellationToken => TryAsync(Name, async () =>
            {
                var added = await Authenticator.Servers.AddAsync(CreateUpdate(Name, Url), cancellationToken).ConfigureAwait(false);
                WarnOfChange(added);
                Write(added.Server);
            }));
        }
    }
}
