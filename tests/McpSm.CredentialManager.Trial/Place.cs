using McpSm.Core.Configuration;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.Windows;

namespace McpSm.CredentialManager.Trial;

/// <summary>A configuration folder of its own, and with it entries of its own: those of the user are never touched.</summary>
internal sealed class Place : IDisposable
{
    public Place(string? folder = null)
    {
        Folder = folder ?? Directory.CreateTempSubdirectory("mcpsm trial é ").FullName;
        Home = HomeOf(Folder);
        Vault = new CredentialManagerVault(Home, NewSet());
    }

    public string Folder { get; }

    public AppEnvironment Home { get; }

    public IVault Vault { get; }

    public string Prefix => $"Mcpsm:{Home.Owner}:";

    public static IWindowsCredentials NewSet() => WholeCalls.AreNeeded ? new WholeCalls(new WindowsCredentials()) : new WindowsCredentials();

    public static AppEnvironment HomeOf(string folder) => new(name => name == "MCPSM_CONFIG_DIR" ? folder : null);

    public IReadOnlyList<RawEntries.Entry> Entries(string item = "") => RawEntries.Of(Prefix + item);

    public void Dispose()
    {
        foreach (var entry in Entries())
        {
            RawEntries.Delete(entry.Target);
        }
        Directory.Delete(Folder, recursive: true);
    }
}
