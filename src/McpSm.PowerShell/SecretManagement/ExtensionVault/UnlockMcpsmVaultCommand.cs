using System.Management.Automation;
using System.Net;
using System.Security;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Unlocks the encrypted file for the rest of this process.</summary>
[Cmdlet(VerbsCommon.Unlock, "McpsmVault")]
public sealed class UnlockMcpsmVaultCommand : ExtensionVaultCmdlet
{
    [Parameter]
    public SecureString? Password { get; set; }

    protected override void ProcessRecord() => RunInVault(null, (_, _) =>
    {
        if (!Authenticator.Secrets.Unlock(new NetworkCredential("", Password).Password))
        {
            Warn("The vault was not unlocked, because the encrypted file of Mcpsm has no passphrase. The operating system unlocks its own store.");
        }
        return Task.CompletedTask;
    });
}
