using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;

namespace McpSm.PowerShell.SecretManagement;

/// <summary>The vaults that the user registered with SecretManagement. Its default vault comes before the vaults of the system.</summary>
internal sealed class SecretManagementProvider(SecretManagementCommands commands) : IVaultProvider
{
    public IVault? Find(string name) => VaultSelector.IsOfSecretManagement(name) && name.Length > VaultSelector.SecretManagementPrefix.Length
        ? new SecretManagementVault(name[VaultSelector.SecretManagementPrefix.Length..], commands) : null;

    public async Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await RegisteredAsync(cancellationToken).ConfigureAwait(false)).Select(v => new SecretManagementVault(v.Name, commands))];

    public async Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken)
    {
        var name = (await RegisteredAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(v => v.IsDefault).Name;
        if (name is null)
        {
            return null;
        }
        var vault = new SecretManagementVault(name, commands);
        // The user made this vault the default, so a vault that is locked or broken is an error, and not skipped.
        await VaultSelfTest.RunAsync(vault, cancellationToken).ConfigureAwait(false);
        return (vault, $"Credentials are stored in '{name}', your default vault of SecretManagement.");
    }

    private async Task<IReadOnlyList<(string Name, bool IsDefault)>> RegisteredAsync(CancellationToken cancellationToken)
    {
        if (!await commands.IsInstalledAsync(cancellationToken).ConfigureAwait(false))
        {
            return [];
        }
        var (output, errors) = await commands.RunAsync("Get-SecretVault", [], cancellationToken).ConfigureAwait(false);
        if (errors.Count > 0)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable, "SecretManagement failed to list its vaults.", "Get-SecretVault");
        }
        return [.. output.Where(v => !SecretManagementVault.IsMcpsm(v))
            .Select(v => (SecretManagementVault.Text(v, "Name") ?? "", LanguagePrimitives.IsTrue(PSObject.AsPSObject(v).Properties["IsDefault"]?.Value)))
            .Where(v => v.Item1.Length > 0)];
    }
}
