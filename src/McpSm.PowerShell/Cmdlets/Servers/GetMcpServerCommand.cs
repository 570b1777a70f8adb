using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Lists servers.</summary>
[Cmdlet(VerbsCommon.Get, "McpServer", HelpUri = HelpUris.Folder + "Get-McpServer.md")]
[OutputType(typeof(McpServer))]
public sealed class GetMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards; all servers where absent.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    private bool _saidUnknown;

    protected override void ProcessRecord()
    {
        WriteObject(SecretNameReader.WithSecretNames(AppEnvironment, Find(Name), out var failure), enumerateCollection: true);
        if (failure is not null && !_saidUnknown)
        {
            _saidUnknown = true;
            WriteWarning($"The secrets of servers are not known. {failure.Message}");
        }
    }
}
