using System.Management.Automation;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Removes a secret.</summary>
[Cmdlet(VerbsCommon.Remove, "McpsmVaultSecret")]
public sealed class RemoveMcpsmVaultSecretCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string Name { get; set; } = "";

    protected override void ProcessRecord() =>
        RunInVault(Name, (vault, cancellationToken) => Authenticator.Secrets.RemoveAsync(Name, vault, cancellationToken));
}
