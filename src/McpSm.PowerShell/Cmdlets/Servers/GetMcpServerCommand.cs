using System.Management.Automation;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Returns the servers of the catalog.</summary>
[Cmdlet(VerbsCommon.Get, "McpServer", HelpUri = HelpUris.Folder + "Get-McpServer.md")]
[OutputType(typeof(McpServer))]
public sealed class GetMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers; by default all servers.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    private bool _hasWarned;

    protected override void ProcessRecord()
    {
        WriteObject(SecretNameReader.WithSecretNames(AppEnvironment, Find(Name), out var failure), enumerateCollection: true);
        if (failure is not null && !_hasWarned)
        {
            _hasWarned = true;
            WriteWarning($"HeaderNames and HasClientSecret are unknown. {failure.Message}");
        }
    }
}
