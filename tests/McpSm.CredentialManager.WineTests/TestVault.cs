using McpSm.Core.Configuration;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.Windows;

namespace McpSm.CredentialManager.WineTests;

/// <summary>A vault with a new configuration folder, and so with separate entries: those of the user are never touched.</summary>
internal sealed class TestVault : IDisposable
{
    public TestVault(string? folder = null)
    {
        Folder = folder ?? Directory.CreateTempSubdirectory("mcpsm wine tests é ").FullName;
        Home = HomeOf(Folder);
        Vault = new CredentialManagerVault(Home, NewSet());
    }

    public string Folder { get; }

    public AppEnvironment Home { get; }

    public IVault Vault { get; }

    public string Prefix => $"Mcpsm:{Home.Owner}:";

    public static IWindowsCredentials NewSet() =>
        SerializedCredentials.IsNeeded ? new SerializedCredentials(new WindowsCredentials()) : new WindowsCredentials();

    public static AppEnvironment HomeOf(string folder) => new(name => name == "MCPSM_CONFIG_DIR" ? folder : null);

    public IReadOnlyList<StoredEntries.Entry> Entries(string item = "") => StoredEntries.Of(Prefix + item);

    public void Dispose()
    {
        foreach (var entry in Entries())
        {
            StoredEntries.Delete(entry.Target);
        }
        Directory.Delete(Folder, recursive: true);
    }
}
