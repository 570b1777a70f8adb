using System.Management.Automation;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Removes a secret.</summary>
[Cmdlet(VerbsCommon.Remove, "ServedSecret")]
public sealed class RemoveVaultSecretCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string Name { get; set; } = "";

    protected override void ProcessRecord() =>
        Serve(Name, (vault, cancellationToken) => Authenticator.Secrets.RemoveAsync(Name, vault, cancellationToken));
}
