using System.Management.Automation;
using McpSm.Core;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Tokens;

/// <summary>Renews tokens at once.</summary>
[Cmdlet(VerbsData.Update, "McpToken", HelpUri = HelpUris.Folder + "Update-McpToken.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class UpdateMcpTokenCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => ShouldProcess(s.Name, "Renew token")).ToList(), async (server, cancellationToken) =>
        {
            await Authenticator.Tokens.RenewAsync(server, cancellationToken).ConfigureAwait(false);
            Write(Authenticator.Status(server));
        });
}
