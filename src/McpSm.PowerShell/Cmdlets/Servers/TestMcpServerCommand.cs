using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Servers;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Connects to servers as an MCP client does.</summary>
[Cmdlet(VerbsDiagnostic.Test, "McpServer", HelpUri = HelpUris.Folder + "Test-McpServer.md")]
[OutputType(typeof(McpTestResult), typeof(bool))]
public sealed class TestMcpServerCommand : McpCmdlet
{
    private readonly List<McpServer> _servers = [];

    /// <summary>Ids, names, URLs or wildcards of servers; by default all servers.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>Seconds to wait for each server.</summary>
    [Parameter]
    [ValidateRange(1, 3600)]
    public int TimeoutSec { get; set; } = 30;

    /// <summary>The maximum number of servers to test at the same time.</summary>
    [Parameter]
    [ValidateRange(1, 1024)]
    public int ThrottleLimit { get; set; } = 32;

    /// <summary>Returns True or False for each server.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    protected override void ProcessRecord() => _servers.AddRange(Find(Name));

    protected override void EndProcessing() => RunForMany("Testing MCP servers", _servers, ThrottleLimit, async (server, cancellationToken) =>
    {
        var result = await Authenticator.Tester.TestAsync(server, TimeSpan.FromSeconds(TimeoutSec), cancellationToken).ConfigureAwait(false);
        Write(Quiet ? result.Success : result);
    });
}
