using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Errors.Steps;
using McpSm.Core.SignIn;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Signs out: revokes the OAuth tokens where the issuer can, and removes them.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "McpServer", HelpUri = HelpUris.Folder + "Disconnect-McpServer.md",
    SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(McpAuthStatus))]
public sealed class DisconnectMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
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
        RunFor(Find(Name).Where(s => Confirmed(Force, s.Name, "Sign out")).ToList(), async (server, cancellationToken) =>
        {
            var ended = await Authenticator.SignIn.SignOutAsync(server, Local, cancellationToken).ConfigureAwait(false);
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
