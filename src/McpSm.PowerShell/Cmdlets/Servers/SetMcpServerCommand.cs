using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Changes servers.</summary>
[Cmdlet(VerbsCommon.Set, "McpServer", HelpUri = HelpUris.Folder + "Set-McpServer.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpServer))]
public sealed class SetMcpServerCommand : ServerUpdateCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>A new URL.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    public string? Url { get; set; }

    /// <summary>A new name.</summary>
    [Parameter]
    public string? NewName { get; set; }

    /// <summary>Returns the changed server.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private readonly List<(McpServer Server, ServerUpdate Change)> _toRename = [];

    protected override void ProcessRecord()
    {
        var servers = Find(Name);
        ServerUpdate change;
        try
        {
            change = CreateUpdate(NewName, Url);
        }
        catch (McpAuthException e)
        {
            WriteError(ErrorRecords.Create(e, servers.Count == 1 ? servers[0].Name : null));
            return;
        }
        if (NewName is null)
        {
            Apply([.. servers.Select(s => (s, change))]);
            return;
        }
        // Wait for the end of the pipeline: one name for several servers is an error.
        _toRename.AddRange(servers.Select(s => (s, change)));
    }

    protected override void EndProcessing()
    {
        var servers = _toRename.Select(r => r.Server).DistinctBy(s => s.Id).ToList();
        if (servers.Count > 1)
        {
            WriteError(ErrorRecords.Create(new McpAuthException(ErrorReason.InvalidValue,
                $"-NewName can rename one server, but there are {servers.Count}: {ServerLookup.Names(servers)}. No server was changed.",
                "Rename one server at a time."), null));
            return;
        }
        Apply(_toRename);
    }

    private void Apply(IReadOnlyList<(McpServer Server, ServerUpdate Change)> changes)
    {
        foreach (var (server, change) in changes.Where(c => ShouldProcess(c.Server.Name, "Change MCP server")))
        {
            RunFor([server], async (current, cancellationToken) =>
            {
                var changed = await Authenticator.Servers.UpdateAsync(current, change, cancellationToken).ConfigureAwait(false);
                WarnOfChange(changed);
                if (PassThru)
                {
                    Write(changed.Server);
                }
            });
        }
    }
}
