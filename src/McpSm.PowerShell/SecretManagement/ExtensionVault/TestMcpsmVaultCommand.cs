using System.Management.Automation;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Returns whether the vault can write, read and delete a secret. Writes the reason as an error if it cannot.</summary>
[Cmdlet(VerbsDiagnostic.Test, "McpsmVault")]
[OutputType(typeof(bool))]
public sealed class TestMcpsmVaultCommand : ExtensionVaultCmdlet
{
    protected override void ProcessRecord()
    {
        var isWorking = false;
        RunInVault(null, async (vault, cancellationToken) =>
        {
            await Authenticator.Secrets.CheckAsync(vault, cancellationToken).ConfigureAwait(false);
            isWorking = true;
        });
        WriteObject(isWorking);
    }
}
