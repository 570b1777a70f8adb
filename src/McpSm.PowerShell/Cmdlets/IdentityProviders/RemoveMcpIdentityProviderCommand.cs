using System.Management.Automation;

namespace McpSm.PowerShell.Cmdlets.IdentityProviders;

/// <summary>Removes the identity provider from the settings, and signs out there.</summary>
[Cmdlet(VerbsCommon.Remove, "McpIdentityProvider", HelpUri = HelpUris.Folder + "Remove-McpIdentityProvider.md",
    SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
public sealed class RemoveMcpIdentityProviderCommand : IdentityProviderCmdlet
{
    /// <summary>Does not ask for confirmation.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord() => RunOnce(async cancellationToken =>
    {
        if (Authenticator.IdentityProviders.Current is { Issuer: var issuer }
            && await Dispatcher.AskAsync(() => Confirmed(Force, issuer, "Remove identity provider and sign out there"), cancellationToken)
                .ConfigureAwait(false))
        {
            await TryAsync(issuer,
                async () => WarnOfRevocation(await Authenticator.IdentityProviders.RemoveAsync(issuer, cancellationToken).ConfigureAwait(false)))
                .ConfigureAwait(false);
        }
    });
}
