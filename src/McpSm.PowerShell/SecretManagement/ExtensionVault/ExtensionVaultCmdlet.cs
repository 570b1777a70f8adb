using System.Collections;
using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;
using McpSm.PowerShell.Pipeline;
using McpSm.PowerShell.Remedies;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>
/// What SecretManagement asks the functions of Mcpsm.Extension for ends in these cmdlets. They are not exported, and
/// take the parameters of those functions as they come.
/// </summary>
public abstract class ExtensionVaultCmdlet : McpCmdlet
{
    private const string VaultParameter = "Vault";

    /// <summary>The name the vault is registered under.</summary>
    [Parameter]
    public string? VaultName { get; set; }

    /// <summary>The VaultParameters of the registration, and SecretManagement's own <c>Verbose</c>.</summary>
    [Parameter]
    public Hashtable? AdditionalParameters { get; set; }

    // Its one runspace runs us: whatever we asked of it would wait for us.
    private protected override IReadOnlyList<IVaultProvider> VaultSources => [];

    /// <summary>Does what is asked; the vault that the registration names is handed in.</summary>
    private protected void Serve(string? name, Func<string?, CancellationToken, Task> work) =>
        Run(cancellationToken => TryAsync(name, () => work(ReadVault(), cancellationToken)));

    /// <summary>Whoever calls SecretManagement tells a locked vault by its own exception, wherever it is loaded.</summary>
    private protected override void Report(ErrorRecord error) => Dispatcher.Post(() =>
    {
        if (error.Exception is McpAuthException { Reason: ErrorReason.VaultLocked } locked
            && LanguagePrimitives.TryConvertTo<Type>("Microsoft.PowerShell.SecretManagement.PasswordRequiredException", out var type))
        {
            var told = (Exception)Activator.CreateInstance(type, AppEnvironment.Remedies.Explain(locked))!;
            ThrowTerminatingError(new ErrorRecord(told, ErrorId.Of(ErrorReason.VaultLocked), error.CategoryInfo.Category, error.TargetObject));
        }
        WriteError(error);
    });

    private string? ReadVault()
    {
        var said = (AdditionalParameters ?? []).Cast<DictionaryEntry>().Select(p => (Name: $"{p.Key}", Value: p.Value is PSObject o ? o.BaseObject : p.Value))
            .Where(p => !p.Name.Equals("Verbose", StringComparison.OrdinalIgnoreCase)).ToList();
        if (said.Find(p => !p.Name.Equals(VaultParameter, StringComparison.OrdinalIgnoreCase)).Name is { } unknown)
        {
            throw Refused($"Mcpsm knows no vault parameter '{UntrustedText.Sanitize(unknown)}', only {VaultParameter}.");
        }
        if (said.Count == 0)
        {
            return null;
        }
        return said[0].Value is not string { Length: > 0 } vault ? throw Refused($"The vault parameter {VaultParameter} is not the name of a vault.")
            : VaultSelector.IsOfSecretManagement(vault) ? throw Refused($"SecretManagement cannot open '{UntrustedText.Sanitize(vault)}' while it is asked for this one.")
            : vault;
    }

    private McpAuthException Refused(string why) => new(ErrorReason.InvalidValue, why,
        $"Register-SecretVault -Name {PowerShellQuoting.Argument(VaultName ?? "")} -ModuleName Mcpsm "
            + $"-VaultParameters @{{ {VaultParameter} = 'file' }} -AllowClobber");
}
