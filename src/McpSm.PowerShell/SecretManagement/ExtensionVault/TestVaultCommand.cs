using System.Management.Automation;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>Whether the vault keeps what it is given; an error says why not.</summary>
[Cmdlet(VerbsDiagnostic.Test, "ServedVault")]
[OutputType(typeof(bool))]
public sealed class TestVaultCommand : ExtensionVaultCmdlet
{
    protected override void ProcessRecord()
    {
        var works = false;
        Serve(null, async (vault, cancellationToken) =>
        {
            await Authenticator.Secrets.CheckAsync(vault, cancellationToken).ConfigureAwait(false);
            works = true;
        });
        WriteObject(works);
    }
}
