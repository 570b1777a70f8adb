using System.Management.Automation;
using System.Security;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Lists vaults: which is in use and why, and how each protects what it keeps.</summary>
[Cmdlet(VerbsCommon.Get, "McpVault", HelpUri = HelpPages.Folder + "Get-McpVault.md")]
[OutputType(typeof(McpVault))]
public sealed class GetMcpVaultCommand : McpCmdlet
{
    /// <summary>Names or wildcards; all vaults where absent.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string[] Name { get; set; } = ["*"];

    protected override void ProcessRecord() => Run(cancellationToken => TryAsync(null, async () =>
    {
        var all = await Authenticator.VaultsAsync(cancellationToken).ConfigureAwait(false);
        var patterns = Name.Select(n => (Name: n, Pattern: WildcardPattern.Get(n, WildcardOptions.IgnoreCase))).ToList();
        foreach (var vault in all.Where(v => patterns.Any(p => p.Pattern.IsMatch(v.Name))))
        {
            Write(vault);
        }
        foreach (var (name, _) in patterns.Where(p => !WildcardPattern.ContainsWildcardCharacters(p.Name) && !all.Any(v => p.Pattern.IsMatch(v.Name))))
        {
            Report(Errors.Record(VaultSelector.NotFound(name), name));
        }
    }));
}

/// <summary>Chooses the vault for what is kept from now on, or puts the encrypted file under another key.</summary>
[Cmdlet(VerbsCommon.Set, "McpVault", HelpUri = HelpPages.Folder + "Set-McpVault.md", SupportsShouldProcess = true, DefaultParameterSetName = "Use")]
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
                Write((await Authenticator.VaultsAsync(cancellationToken).ConfigureAwait(false)).First(v => v.Name == Name));
            }
        }));
    }

    private async Task RekeyAsync(CancellationToken cancellationToken)
    {
        await Authenticator.RekeyFileAsync(Plain(Passphrase), cancellationToken).ConfigureAwait(false);
        if (!NewKeyFile)
        {
            Tell("Set MCPSM_VAULT_PASSPHRASE to the new passphrase wherever credentials are used.");
        }
    }

    private async Task MoveAsync(CancellationToken cancellationToken)
    {
        var moved = await Authenticator.MoveToVaultAsync(Name, cancellationToken).ConfigureAwait(false);
        Tell($"{moved} item{(moved == 1 ? " was" : "s were")} moved to '{Name}'.");
    }

    private async Task UseAsync(CancellationToken cancellationToken)
    {
        var elsewhere = await Authenticator.UseVaultAsync(Name, cancellationToken).ConfigureAwait(false);
        if (elsewhere.Count > 0)
        {
            Warn($"The credentials of {string.Join(", ", elsewhere)} stay where they are. To take them along: {new UseVaultStep(Name, Move: true)}");
        }
    }
}

/// <summary>Takes plaintext tokens and secrets of the npm tool into the vault, then removes them there.</summary>
[Cmdlet(VerbsData.Import, "McpCredential", HelpUri = HelpPages.Folder + "Import-McpCredential.md", SupportsShouldProcess = true)]
[OutputType(typeof(McpImport))]
public sealed class ImportMcpCredentialCommand : McpCmdlet
{
    /// <summary>Names, ids or wildcards of servers; all where absent.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ServerId]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>The vault to keep it in.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(VaultCompleter))]
    public string? Vault { get; set; }

    /// <summary>Also removes plaintext in whose place the vault has something else.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var server in Find(Name))
        {
            Run(cancellationToken => TryAsync(server.Name, () => ImportAsync(server, cancellationToken)));
        }
        if (Name is null)
        {
            Run(_ => TryAsync(null, () =>
            {
                foreach (var foreign in Authenticator.FindForeignPlaintext())
                {
                    Warn($"oauth-tokens.json has tokens of '{foreign}', which is no server here. They were left.");
                }
                return Task.CompletedTask;
            }));
        }
    }

    private async Task ImportAsync(McpServer server, CancellationToken cancellationToken)
    {
        var secrets = Authenticator.FindPlaintext(server);
        if (secrets.Count == 0 || !await Pump.AskAsync(() => ShouldProcess(server.Name, $"Take {string.Join(", ", secrets)} into the vault"), cancellationToken).ConfigureAwait(false))
        {
            return;
        }
        foreach (var done in await Authenticator.ImportAsync(server, Vault, Force, cancellationToken).ConfigureAwait(false))
        {
            if (!done.Removed)
            {
                Warn($"The {new PlaintextSecret(done.Kind, done.Header, done.File).ToString()} of '{server.Name}' was left: {done.Reason}.");
            }
            Write(done);
        }
    }
}
