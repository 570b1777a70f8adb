using System.Collections;
using System.Management.Automation;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Replaces the metadata of a secret.</summary>
[Cmdlet(VerbsCommon.Set, "McpsmVaultSecretInfo")]
public sealed class SetMcpsmVaultSecretInfoCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public string Name { get; set; } = "";

    [Parameter]
    public Hashtable? Metadata { get; set; }

    protected override void ProcessRecord() => RunInVault(Name,
        (vault, cancellationToken) => Authenticator.Secrets.SetMetadataAsync(Name, SecretMetadata.ToDictionary(Metadata), vault, cancellationToken));
}
