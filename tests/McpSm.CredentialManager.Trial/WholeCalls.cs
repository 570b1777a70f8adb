using System.Runtime.InteropServices;
using McpSm.Core.Vaults;

namespace McpSm.CredentialManager.Trial;

/// <summary>
/// Windows serves each call whole. Wine does not: a call is several of its registry, and one that meets another fails
/// or corrupts its memory. There, one call of all processes runs at a time; what happens between calls stays free.
/// </summary>
internal sealed class WholeCalls(ICredentialSet entries) : ICredentialSet
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

/// <summary>Ends this process, as a kill does, in place of the call after so many.</summary>
internal sealed class Killed(ICredentialSet entries, int after) : ICredentialSet
{
    private int _left = after;

    public byte[]? Read(string target) => Alive().Read(target);

    public void Write(string target, ReadOnlySpan<byte> content) => Alive().Write(target, content);

    public bool Delete(string target) => Alive().Delete(target);

    public IReadOnlyList<(string Target, byte[] Content)> List(string prefix) => Alive().List(prefix);

    private ICredentialSet Alive()
    {
        if (_left-- == 0)
        {
            using var self = System.Diagnostics.Process.GetCurrentProcess();
            self.Kill();
        }
        return entries;
    }
}
