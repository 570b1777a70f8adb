using System.Runtime.InteropServices;
using McpSm.Core.Vaults.Windows;

namespace McpSm.CredentialManager.WineTests;

/// <summary>
/// Credentials that run one call of all processes at a time. Windows makes each call atomic. Under Wine a call is several calls of
/// the registry, and concurrent ones fail or corrupt memory. The order of the calls stays free.
/// </summary>
internal sealed class SerializedCredentials(IWindowsCredentials entries) : IWindowsCredentials
{
    private static readonly Mutex CallLock = new(false, "mcpsm-credential-manager-wine-tests");

    public static bool IsNeeded => NativeLibrary.TryGetExport(NativeLibrary.Load("ntdll"), "wine_get_version", out _);

    public byte[]? Read(string target) => Serialize(() => entries.Read(target));

    public void Write(string target, ReadOnlySpan<byte> content)
    {
        var copy = content.ToArray();
        Serialize(() =>
        {
            entries.Write(target, copy);
            return true;
        });
    }

    public bool Delete(string target) => Serialize(() => entries.Delete(target));

    public IReadOnlyList<(string Target, byte[] Content)> List(string prefix) => Serialize(() => entries.List(prefix));

    private static T Serialize<T>(Func<T> call)
    {
        CallLock.WaitOne();
        try
        {
            return call();
        }
        finally
        {
            CallLock.ReleaseMutex();
        }
    }
}
