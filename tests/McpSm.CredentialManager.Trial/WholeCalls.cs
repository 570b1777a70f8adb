using System.Runtime.InteropServices;
using McpSm.Core.Vaults.Windows;

namespace McpSm.CredentialManager.Trial;

/// <summary>
/// Windows serves each call whole. Wine does not: a call is several of its registry, and one that meets another fails
/// or corrupts its memory. There, one call of all processes runs at a time; what happens between calls stays free.
/// </summary>
internal sealed class WholeCalls(IWindowsCredentials entries) : IWindowsCredentials
{
    private static readonly Mutex OneAtATime = new(false, "mcpsm-credential-manager-trial");

    public static bool AreNeeded => NativeLibrary.TryGetExport(NativeLibrary.Load("ntdll"), "wine_get_version", out _);

    public byte[]? Read(string target) => Whole(() => entries.Read(target));

    public void Write(string target, ReadOnlySpan<byte> content)
    {
        var kept = content.ToArray();
        Whole(() =>
        {
            entries.Write(target, kept);
            return true;
        });
    }

    public bool Delete(string target) => Whole(() => entries.Delete(target));

    public IReadOnlyList<(string Target, byte[] Content)> List(string prefix) => Whole(() => entries.List(prefix));

    private static T Whole<T>(Func<T> call)
    {
        OneAtATime.WaitOne();
        try
        {
            return call();
        }
        finally
        {
            OneAtATime.ReleaseMutex();
        }
    }
}
