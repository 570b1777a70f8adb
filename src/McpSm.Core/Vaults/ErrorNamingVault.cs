namespace McpSm.Core.Vaults;

/// <summary>A vault that adds its name to its errors.</summary>
internal sealed class ErrorNamingVault(IVault vault) : IVault
{
    public string Name => vault.Name;

    public string Protection => vault.Protection;

    public Task<string?> GetAsync(string item, CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(Name, () => vault.GetAsync(item, cancellationToken));

    public Task SetAsync(string item, string text, CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(Name, () => vault.SetAsync(item, text, cancellationToken));

    public Task ReplaceAsync(string item, string text, CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(Name, () => vault.ReplaceAsync(item, text, cancellationToken));

    public void RequireTakesNewSecrets() => VaultErrors.Named(Name, () =>
    {
        vault.RequireTakesNewSecrets();
        return true;
    });

    public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(Name, () => vault.RemoveAsync(item, cancellationToken));

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(Name, () => vault.NamesAsync(cancellationToken));
}
