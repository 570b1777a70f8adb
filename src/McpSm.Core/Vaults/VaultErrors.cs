using McpSm.Core.Errors;

namespace McpSm.Core.Vaults;

/// <summary>Adds the name of the vault to the errors of its calls (<see cref="McpAuthException.Vault"/>).</summary>
internal static class VaultErrors
{
    public static T Named<T>(string vault, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (McpAuthException e) when (e.Vault is null)
        {
            e.Vault = vault;
            throw;
        }
    }

    public static async Task<T> NamedAsync<T>(string vault, Func<Task<T>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Vault is null)
        {
            e.Vault = vault;
            throw;
        }
    }

    public static Task NamedAsync(string vault, Func<Task> call) => NamedAsync(vault, async () =>
    {
        await call().ConfigureAwait(false);
        return true;
    });
}
