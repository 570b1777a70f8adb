using System.Collections;
using System.Management.Automation;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Replaces a secret's metadata.</summary>
[Cmdlet(VerbsCommon.Set, "ServedSecretInfo")]
public sealed class SetVaultSecretInfoCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string Name { get; set; } = "";

    [Parameter]
    public Hashtable? Metadata { get; set; }

    protected override void ProcessRecord() => Serve(Name,
        (vault, cancellationToken) => Authenticator.Secrets.SetMetadataAsync(Name, VaultSecretNames.Plain(Metadata), vault, cancellationToken));
}
