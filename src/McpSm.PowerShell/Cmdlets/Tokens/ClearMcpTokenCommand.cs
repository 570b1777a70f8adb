using System.Management.Automation;
using McpSm.Core;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Tokens;

/// <summary>Revokes and removes every credential of a server: bearer token and OAuth tokens.</summary>
[Cmdlet(VerbsCommon.Clear, "McpToken", HelpUri = HelpUris.Folder + "Clear-McpToken.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class ClearMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Returns the status afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Revoke and remove credentials")).ToList(), async (server, cancellationToken) =>
        {
            WarnOfRevocation(await Authenticator.Servers.ClearCredentialsAsync(server, cancellationToken).ConfigureAwait(false));
            if (PassThru)
            {
                Write(Authenticator.Status(Authenticator.Catalog.Get(server.Id)));
            }
        });
}
