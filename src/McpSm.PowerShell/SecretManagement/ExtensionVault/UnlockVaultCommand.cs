using System.Management.Automation;
using System.Net;
using System.Security;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Opens the encrypted file for the rest of this process.</summary>
[Cmdlet(VerbsCommon.Unlock, "ServedVault")]
public sealed class UnlockVaultCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public SecureString? Password { get; set; }

    protected override void ProcessRecord() => Serve(null, (_, _) =>
    {
        if (!Authenticator.Secrets.Unlock(new NetworkCredential("", Password).Password))
        {
            Warn("Nothing was unlocked: Mcpsm's encrypted file is under no passphrase. The operating system unlocks its own store.");
        }
        return Task.CompletedTask;
    });
}
