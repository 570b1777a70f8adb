using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;

namespace McpSm.PowerShell.SecretManagement;

/// <summary>The vaults that the user registered with SecretManagement; its default vault comes before all others.</summary>
internal sealed class SecretManagementProvider(SecretManagementCommands commands) : IVaultProvider
{
    public IVault? Find(string name) => VaultSelector.IsOfSecretManagement(name) && name.Length > VaultSelector.SecretManagementPrefix.Length
        ? new SecretManagementVault(name[VaultSelector.SecretManagementPrefix.Length..], commands) : null;

    public async Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await RegisteredAsync(cancellationToken).ConfigureAwait(false)).Select(v => new SecretManagementVault(v.Name, commands))];

    public async Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken)
    {
        var chosen = (await RegisteredAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(v => v.IsDefault).Name;
        if (chosen is null)
        {
            return null;
        }
        var vault = new SecretManagementVault(chosen, commands);
        // The user made it the default: one that is locked or broken is told, not passed over for a second home.
        await VaultSelfTest.RunAsync(vault, cancellationToken).ConfigureAwait(false);
        return (vault, $"Credentials are kept in your default SecretManagement vault, '{chosen}'.");
    }

    private async Task<IReadOnlyList<(string Name, bool IsDefault)>> RegisteredAsync(CancellationToken cancellationToken)
    {
        if (!await commands.IsThereAsync(cancellationToken).ConfigureAwait(false))
        {
            return [];
        }
        var (output, problems) = await commands.RunAsync("Get-SecretVault", [], cancellationToken).ConfigureAwait(false);
        if (problems.Count > 0)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable, "SecretManagement cannot list its vaults.", "Get-SecretVault");
        }
        return [.. output.Where(v => !SecretManagementVault.IsOurOwn(v))
            .Select(v => (SecretManagementVault.Text(v, "Name") ?? "", LanguagePrimitives.IsTrue(PSObject.AsPSObject(v).Properties["IsDefault"]?.Value)))
            .Where(v => v.Item1.Length > 0)];
    }
}
