using McpSm.Core.Vaults.Windows;

namespace McpSm.CredentialManager.WineTests;

/// <summary>Credentials that kill this process instead of serving the call after a given number of calls.</summary>
internal sealed class KillingCredentials(IWindowsCredentials entries, int after) : IWindowsCredentials
{
    private int _left = after;

    public byte[]? Read(string target) => Alive().Read(target);

    public void Write(string target, ReadOnlySpan<byte> content) => Alive().Write(target, content);

    public bool Delete(string target) => Alive().Delete(target);

    public IReadOnlyList<(string Target, byte[] Content)> List(string prefix) => Alive().List(prefix);

    private IWindowsCredentials Alive()
    {
        if (_left-- == 0)
        {
            using var self = System.Diagnostics.Process.GetCurrentProcess();
            self.Kill();
        }
        return entries;
    }
}
