using System.Management.Automation;
using McpSm.Core;
using McpSm.Core.Errors.Steps;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Parameters;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Servers;

/// <summary>Signs out: revokes the OAuth tokens if the issuer supports it, and removes them.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "McpServer", HelpUri = HelpUris.Folder + "Disconnect-McpServer.md",
    SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(McpAuthStatus))]
public sealed class DisconnectMcpServerCommand : McpCmdlet
{
    /// <summary>Ids, names, URLs or wildcards of servers.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerIdTransformation]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Does not ask for confirmation.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Does not revoke the tokens at the issuer.</summary>
    [Parameter]
    public SwitchParameter Local { get; set; }

    /// <summary>Returns the status afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() =>
        RunFor(Find(Name).Where(s => Confirmed(Force, s.Name, "Sign out")).ToList(), async (server, cancellationToken) =>
        {
            var result = await Authenticator.SignIn.SignOutAsync(server, Local, cancellationToken).ConfigureAwait(false);
            WarnOfRevocation(result);
            if (!result.HadOAuth && result.HasBearer)
            {
                Warn($"'{server.Name}' has a bearer token, which signing out does not remove. Remove it with: {new RevokeStep(server)}");
            }
            if (PassThru)
            {
                Write(Authenticator.Status(server));
            }
        });
}
