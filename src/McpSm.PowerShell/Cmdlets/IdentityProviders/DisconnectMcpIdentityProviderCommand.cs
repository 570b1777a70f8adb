using System.Management.Automation;
using McpSm.Core;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>Signs out of identity providers: revokes the session if the provider supports it, and removes it.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "McpIdentityProvider", HelpUri = HelpUris.Folder + "Disconnect-McpIdentityProvider.md",
    SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(McpIdentityProvider))]
public sealed class DisconnectMcpIdentityProviderCommand : IdentityProviderCmdlet
{
    /// <summary>Does not ask for confirmation.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Does not revoke the session at the provider.</summary>
    [Parameter]
    public SwitchParameter Local { get; set; }

    /// <summary>Returns the identity provider afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord() => RunOnce(async cancellationToken =>
    {
        foreach (var issuer in Authenticator.IdentityProviders.List().Where(p => p.SignedInAt is not null).Select(p => p.Issuer))
        {
            if (await Dispatcher.AskAsync(() => Confirmed(Force, issuer, "Sign out"), cancellationToken).ConfigureAwait(false))
            {
                await TryAsync(issuer, () => DisconnectAsync(issuer, cancellationToken)).ConfigureAwait(false);
            }
        }
    });

    private async Task DisconnectAsync(string issuer, CancellationToken cancellationToken)
    {
        WarnOfRevocation(await Authenticator.IdentityProviders.SignOutAsync(issuer, Local, cancellationToken).ConfigureAwait(false));
        if (PassThru)
        {
            WriteProvider(issuer);
        }
    }
}
