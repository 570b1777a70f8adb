using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Signs in to servers.</summary>
[Cmdlet(VerbsCommunications.Connect, "McpServer", DefaultParameterSetName = NameSet, SupportsShouldProcess = true)]
[OutputType(typeof(McpAuthStatus))]
public sealed class ConnectMcpServerCommand : McpCmdlet
{
    private const string NameSet = "Name";
    private const string UrlSet = "Url";
    private const string AllSet = "All";

    /// <summary>Ids, names or wildcards; always signs in.</summary>
    [Parameter(ParameterSetName = NameSet, Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The URL of a server that is added, where there is none of it, and signed in to.</summary>
    [Parameter(ParameterSetName = UrlSet, Mandatory = true)]
    public string Url { get; set; } = "";

    /// <summary>All servers: skips what is valid and renews before it signs in.</summary>
    [Parameter(ParameterSetName = AllSet, Mandatory = true)]
    public SwitchParameter All { get; set; }

    /// <summary>With <c>-All</c>: signs in again, valid or not.</summary>
    [Parameter(ParameterSetName = AllSet)]
    public SwitchParameter Force { get; set; }

    /// <summary>Shows the URL instead of opening a browser.</summary>
    [Parameter]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Signs in with a code on another device.</summary>
    [Parameter]
    public SwitchParameter UseDeviceCode { get; set; }

    /// <summary>The local port the browser comes back to; 0 is any.</summary>
    [Parameter]
    [ValidateRange(0, 65535)]
    public int? CallbackPort { get; set; }

    /// <summary>Seconds to wait for the sign-in; 300 where absent.</summary>
    [Parameter]
    [ValidateRange(1, 86400)]
    public int TimeoutSec { get; set; } = (int)ConnectOptions.DefaultTimeout.TotalSeconds;

    /// <summary>The vault to keep the credential in.</summary>
    [Parameter]
    public string? Vault { get; set; }

    /// <summary>Fails at once where a person would be asked.</summary>
    [Parameter]
    public SwitchParameter NonInteractive { get; set; }

    protected override void ProcessRecord()
    {
        Interaction.NonInteractive = NonInteractive;
        if (ParameterSetName == UrlSet)
        {
            if (ShouldProcess(Url, "Add MCP server and sign in"))
            {
                Run(cancellationToken => TryAsync(Url, async () => await ConnectAsync(
                    (await Authenticator.FindOrAddServerAsync(Url, cancellationToken).ConfigureAwait(false)).Server,
                    cancellationToken).ConfigureAwait(false)));
            }
            return;
        }
        var servers = All ? Find(null).Where(s => s.OAuth != OAuthMode.Off) : Find(Name);
        RunFor(servers.Where(s => ShouldProcess(s.Name, "Sign in")).ToList(), ConnectAsync);
    }

    private async Task ConnectAsync(McpServer server, CancellationToken cancellationToken)
    {
        var options = new ConnectOptions
        {
            NoBrowser = NoBrowser,
            UseDeviceCode = UseDeviceCode,
            CallbackPort = CallbackPort,
            Timeout = TimeSpan.FromSeconds(TimeoutSec),
            Vault = Vault,
        };
        var result = await (All && !Force ? Authenticator.EnsureConnectedAsync(server, options, cancellationToken)
            : Authenticator.ConnectAsync(server, options, cancellationToken)).ConfigureAwait(false);
        if (result.Unproven is { } doubt)
        {
            Warn($"The token of '{server.Name}' is kept, but could not be tried. {doubt}");
        }
        Write(result.Status);
    }
}

/// <summary>Signs out: revokes the OAuth tokens where the issuer can, and removes them.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "McpServer", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(McpAuthStatus))]
public sealed class DisconnectMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
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
                Warn($"'{server.Name}' has a bearer token, which signing out leaves alone. Remove it with: Clear-McpToken {server.Id}");
            }
            if (PassThru)
            {
                Write(Authenticator.Status(server));
            }
        });
}

/// <summary>Connects to servers as an MCP client does.</summary>
[Cmdlet(VerbsDiagnostic.Test, "McpServer")]
[OutputType(typeof(McpTestResult), typeof(bool))]
public sealed class TestMcpServerCommand : McpCmdlet
{
    private readonly List<McpServer> _servers = [];

    /// <summary>Ids, names or wildcards; all servers where absent.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
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

    protected override void EndProcessing() => Run(cancellationToken => Parallel.ForEachAsync(_servers,
        new ParallelOptions { MaxDegreeOfParallelism = ThrottleLimit, CancellationToken = cancellationToken },
        (server, one) => new ValueTask(TryAsync(server.Name, async () =>
        {
            var result = await Authenticator.TestAsync(server, TimeSpan.FromSeconds(TimeoutSec), one).ConfigureAwait(false);
            Write(Quiet ? result.Success : result);
        }))));
}
