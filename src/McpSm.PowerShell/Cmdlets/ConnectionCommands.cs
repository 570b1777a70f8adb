using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Signs out: revokes the OAuth tokens where the issuer can, and removes them.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "McpServer", HelpUri = HelpPages.Folder + "Disconnect-McpServer.md",
    SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(McpAuthStatus))]
public sealed class DisconnectMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Does not ask.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Does not tell the issuer.</summary>
    [Parameter]
    public SwitchParameter Local { get; set; }

    /// <summary>Emits the status afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => Agreed(Force, s.Name, "Sign out")).ToList(), async (server, cancellationToken) =>
        {
            var ended = await Authenticator.DisconnectAsync(server, Local, cancellationToken).ConfigureAwait(false);
            WarnOf(ended);
            if (!ended.HadOAuth && ended.HasBearer)
            {
                Warn($"'{server.Name}' has a bearer token, which signing out leaves alone. Remove it with: {new RevokeStep(server)}");
            }
            if (PassThru)
            {
                Write(Authenticator.Status(server));
            }
        });
}

/// <summary>Connects to servers as an MCP client does.</summary>
[Cmdlet(VerbsDiagnostic.Test, "McpServer", HelpUri = HelpPages.Folder + "Test-McpServer.md")]
[OutputType(typeof(McpTestResult), typeof(bool))]
public sealed class TestMcpServerCommand : McpCmdlet
{
    private readonly List<McpServer> _servers = [];

    /// <summary>Ids, names, URLs or wildcards; all servers where absent.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>Seconds to wait for each.</summary>
    [Parameter]
    [ValidateRange(1, 3600)]
    public int TimeoutSec { get; set; } = 30;

    /// <summary>How many are tested at once.</summary>
    [Parameter]
    [ValidateRange(1, 1024)]
    public int ThrottleLimit { get; set; } = 32;

    /// <summary>Gives a boolean for each.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    protected override void ProcessRecord() => _servers.AddRange(Find(Name));

    protected override void EndProcessing() => RunForMany("Testing MCP servers", _servers, ThrottleLimit, async (server, cancellationToken) =>
    {
        var result = await Authenticator.TestAsync(server, TimeSpan.FromSeconds(TimeoutSec), cancellationToken).ConfigureAwait(false);
        Write(Quiet ? result.Success : result);
    });
}
