using System.Management.Automation;
using System.Security;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Vaults;

/// <summary>Chooses the vault for what is kept from now on, or puts the encrypted file under another key.</summary>
[Cmdlet(VerbsCommon.Set, "McpVault", HelpUri = HelpUris.Folder + "Set-McpVault.md", SupportsShouldProcess = true, DefaultParameterSetName = "Use")]
[OutputType(typeof(McpVault))]
public sealed class SetMcpVaultCommand : McpCmdlet
{
    /// <summary>Its name: <c>file</c>, <c>secret-service</c>, <c>secretmanagement:NAME</c>, …</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Use")]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string Name { get; set; } = "";

    /// <summary>Takes all that is kept elsewhere along.</summary>
    [Parameter(ParameterSetName = "Use")]
    public SwitchParameter Move { get; set; }

    /// <summary>Puts the encrypted file under this passphrase; the present one is read from MCPSM_VAULT_PASSPHRASE.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Passphrase")]
    public SecureString? Passphrase { get; set; }

    /// <summary>Puts the encrypted file under a new key in credentials.key.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "NewKeyFile")]
    public SwitchParameter NewKeyFile { get; set; }

    /// <summary>Emits the vault.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        var rekeys = ParameterSetName != "Use";
        Name = rekeys ? EncryptedFileVault.VaultName : Name;
        if (!ShouldProcess(Name, rekeys ? "Put the encrypted file under another key" : Move ? "Move all credentials to this vault" : "Keep credentials in this vault"))
        {
            return;
        }
        Run(cancellationToken => TryAsync(null, async () =>
        {
            await (rekeys ? RekeyAsync(cancellationToken) : Move ? MoveAsync(cancellationToken) : UseAsync(cancellationToken)).ConfigureAwait(false);
            if (PassThru)
            {
                Write((await Authenticator.Vaults.ListAsync(cancellationToken).ConfigureAwait(false)).First(v => v.Name == Name));
            }
        }));
    }

    private async Task RekeyAsync(CancellationToken cancellationToken)
    {
        await Authenticator.Vaults.RekeyFileAsync(UnwrapText(Passphrase), cancellationToken).ConfigureAwait(false);
        if (!NewKeyFile)
        {
            Tell("Set MCPSM_VAULT_PASSPHRASE to the new passphrase wherever credentials are used.");
        }
    }

    private async Task MoveAsync(CancellationToken cancellationToken)
    {
        var moved = await Authenticator.Vaults.MoveToAsync(Name, cancellationToken).ConfigureAwait(false);
        Tell($"{moved} item{(moved == 1 ? " was" : "s were")} moved to '{Name}'.");
    }

    private async Task UseAsync(CancellationToken cancellationToken)
    {
        var elsewhere = await Authenticator.Vaults.UseAsync(Name, cancellationToken).ConfigureAwait(false);
        if (elsewhere.Count > 0)
        {
            Warn($"The credentials of {string.Join(", ", elsewhere)} stay where they are. To take them along: {new UseVaultStep(Name, Move: true)}");
        }
    }
}
