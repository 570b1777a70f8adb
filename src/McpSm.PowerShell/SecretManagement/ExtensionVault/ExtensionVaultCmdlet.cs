using System.Globalization;
using System.Collections;
using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;
using McpSm.PowerShell.Pipeline;
using McpSm.PowerShell.Remedies;

namespace McpSm.PowerShell.SecretManagement.ExtensionVault;

/// <summary>
/// The base of the cmdlets behind the functions of Mcpsm.Extension, which SecretManagement calls. The module does not export them. They
/// have the parameters of those functions.
/// </summary>
public abstract class ExtensionVaultCmdlet : McpCmdlet
{
    private const string VaultParameter = "Vault";

    /// <summary>The name of the registered vault.</summary>
    [Parameter]
    public string? VaultName { get; set; }

    /// <summary>The VaultParameters of the registration, and the parameter <c>Verbose</c> that SecretManagement adds.</summary>
    [Parameter]
    public Hashtable? AdditionalParameters { get; set; }

    // SecretManagement runs this cmdlet in its only runspace for vaults. A call to another of its vaults would wait for that runspace.
    private protected override IReadOnlyList<IVaultProvider> VaultProviders => [];

    /// <summary>Runs work with the vault that the registration names; null if it names no vault.</summary>
    private protected void RunInVault(string? secretName, Func<string?, CancellationToken, Task> work) =>
        Run(cancellationToken => TryAsync(secretName, () => work(ReadVault(), cancellationToken)));

    /// <summary>Writes an error. For a locked vault it throws the exception type by which callers of SecretManagement recognize one.</summary>
    private protected override void Report(ErrorRecord error) => Dispatcher.Post(() =>
    {
        if (error.Exception is McpAuthException { Reason: ErrorReason.VaultLocked } locked
            && LanguagePrimitives.TryConvertTo<Type>("Microsoft.PowerShell.SecretManagement.PasswordRequiredException",
                CultureInfo.InvariantCulture, out var type))
        {
            var exception = (Exception)Activator.CreateInstance(type, AppEnvironment.Remedies.Explain(locked))!;
            ThrowTerminatingError(new ErrorRecord(exception, ErrorId.Of(ErrorReason.VaultLocked), error.CategoryInfo.Category, error.TargetObject));
        }
        WriteError(error);
    });

    private string? ReadVault()
    {
        var parameters = (AdditionalParameters ?? []).Cast<DictionaryEntry>()
            .Select(p => (Name: $"{p.Key}", Value: p.Value is PSObject o ? o.BaseObject : p.Value))
            .Where(p => !p.Name.Equals("Verbose", StringComparison.OrdinalIgnoreCase)).ToList();
        if (parameters.Find(p => !p.Name.Equals(VaultParameter, StringComparison.OrdinalIgnoreCase)).Name is { } unknown)
        {
            throw InvalidParameter($"The vault parameter '{UntrustedText.Sanitize(unknown)}' is unknown. Mcpsm has one vault parameter: {VaultParameter}.");
        }
        if (parameters.Count == 0)
        {
            return null;
        }
        return parameters[0].Value is not string { Length: > 0 } vault
            ? throw InvalidParameter($"The value of the vault parameter {VaultParameter} is not the name of a vault.")
            : VaultSelector.IsOfSecretManagement(vault)
            ? throw InvalidParameter($"SecretManagement cannot open the vault '{UntrustedText.Sanitize(vault)}' while it is using this one.")
            : vault;
    }

    private McpAuthException InvalidParameter(string message) => new(ErrorReason.InvalidValue, message,
        $"Register-SecretVault -Name {PowerShellQuoting.Argument(VaultName ?? "")} -ModuleName Mcpsm "
            + $"-VaultParameters @{{ {VaultParameter} = 'file' }} -AllowClobber");
}
