using System.Runtime.InteropServices;

namespace McpSm.CredentialManager.WineTests;

/// <summary>Reads the entries of Windows with code that the vault does not use.</summary>
internal static unsafe partial class StoredEntries
{
    internal sealed record Entry(string Target, byte[] Content, uint Type, uint Persist);

    public static IReadOnlyList<Entry> Of(string prefix)
    {
        if (!CredEnumerateW(null, 0, out var count, out var all))
        {
            return Marshal.GetLastPInvokeError() == 1168 ? [] : throw new InvalidOperationException($"CredEnumerateW: error {Marshal.GetLastPInvokeError()}");
        }
        var entries = new List<Entry>();
        for (var i = 0u; i < count; i++)
        {
            // The offsets of CREDENTIALW on a 64-bit system.
            var at = all[i];
            var content = new byte[*(uint*)(at + 32)];
            Marshal.Copy(*(nint*)(at + 40), content, 0, content.Length);
            entries.Add(new Entry(Marshal.PtrToStringUni(*(nint*)(at + 8))!, content, *(uint*)(at + 4), *(uint*)(at + 48)));
        }
        CredFree((nint)all);
        return [.. entries.Where(e => e.Target.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))];
    }

    public static void Delete(string target)
    {
        if (!CredDeleteW(target, 1, 0))
        {
            throw new InvalidOperationException($"CredDeleteW: error {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("advapi32", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CredEnumerateW(string? filter, uint flags, out uint count, out nint* credentials);

    [LibraryImport("advapi32", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CredDeleteW(string target, uint type, uint flags);

    [LibraryImport("advapi32")]
    private static partial void CredFree(nint buffer);
}
