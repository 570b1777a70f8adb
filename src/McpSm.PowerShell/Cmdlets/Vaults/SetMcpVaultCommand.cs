using System.Management.Automation;
using System.Security;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.PowerShell.Completion;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets.Vaults;

/// <summary>Selects the vault for new credentials, or changes the key of the encrypted file.</summary>
[Cmdlet(VerbsCommon.Set, "McpVault", HelpUri = HelpUris.Folder + "Set-McpVault.md", SupportsShouldProcess = true, DefaultParameterSetName = "Use")]
[OutputType(typeof(McpVault))]
public sealed class SetMcpVaultCommand : McpCmdlet
{
    /// <summary>The name of the vault: <c>file</c>, <c>secret-service</c>, <c>secretmanagement:NAME</c>, …</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Use")]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string Name { get; set; } = "";

    /// <summary>Moves all credentials from the other vaults.</summary>
    [Parameter(ParameterSetName = "Use")]
    public SwitchParameter Move { get; set; }

    /// <summary>Encrypts the file with this passphrase. The current passphrase is read from MCPSM_VAULT_PASSPHRASE.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Passphrase")]
    public SecureString? Passphrase { get; set; }

    /// <summary>Encrypts the file with a new key in credentials.key.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "NewKeyFile")]
    public SwitchParameter NewKeyFile { get; set; }

    /// <summary>Returns the vault.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        var isRekey = ParameterSetName != "Use";
        Name = isRekey ? EncryptedFileVault.VaultName : Name;
        var change = isRekey ? "Change the key of the encrypted file"
            : Move ? "Move all credentials to this vault"
            : "Use this vault for credentials";
        if (!ShouldProcess(Name, change))
        {
            return;
        }
        Run(cancellationToken => TryAsync(null, async () =>
        {
            await (isRekey ? RekeyAsync(cancellationToken) : Move ? MoveAsync(cancellationToken) : UseAsync(cancellationToken)).ConfigureAwait(false);
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
            WriteForUser("Set MCPSM_VAULT_PASSPHRASE to the new passphrase in every environment that uses the credentials.");
        }
    }

    private async Task MoveAsync(CancellationToken cancellationToken)
    {
        var moved = await Authenticator.Vaults.MoveToAsync(Name, cancellationToken).ConfigureAwait(false);
        WriteForUser($"{moved} item{(moved == 1 ? " was" : "s were")} moved to '{Name}'.");
    }

    private async Task UseAsync(CancellationToken cancellationToken)
    {
        var servers = await Authenticator.Vaults.UseAsync(Name, cancellationToken).ConfigureAwait(false);
        if (servers.Count > 0)
        {
            Warn($"The credentials of {string.Join(", ", servers)} stay in another vault. Move them with: {new UseVaultStep(Name, Move: true)}");
        }
    }
}
