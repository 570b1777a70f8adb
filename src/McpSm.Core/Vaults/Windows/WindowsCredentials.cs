using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core.Vaults.Windows;

/// <summary>
/// The credential set of the logon session of this process (wincred.h). Writes generic credentials that stay on this machine; Windows encrypts them
/// with the user's logon.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe partial class WindowsCredentials : IWindowsCredentials
{
    private const uint Generic = 1;
    private const uint PersistLocalMachine = 2;
    private const int NotFound = 1168;
    private const int NoSuchLogonSession = 1312;

    public byte[]? Read(string target)
    {
        if (!CredRead(target, Generic, 0, out var found))
        {
            ThrowUnlessNotFound("read");
            return null;
        }
        try
        {
            return ContentOf(*found);
        }
        finally
        {
            CredFree(found);
        }
    }

    public void Write(string target, ReadOnlySpan<byte> content)
    {
        // Windows rejects longer values with an obscure RPC error, and Wine accepts them.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, ChunkedSecret.EntryBytes, nameof(content));
        fixed (char* name = target, user = "mcpsm")
        fixed (byte* blob = content)
        {
            var credential = new Credential
            {
                Type = Generic,
                TargetName = name,
                CredentialBlobSize = (uint)content.Length,
                CredentialBlob = blob,
                Persist = PersistLocalMachine,
                UserName = user,
            };
            if (!CredWrite(&credential, 0))
            {
                throw Failed("write", Marshal.GetLastPInvokeError());
            }
        }
    }

    public bool Delete(string target)
    {
        if (!CredDelete(target, Generic, 0))
        {
            ThrowUnlessNotFound("remove");
            return false;
        }
        return true;
    }

    public IReadOnlyList<(string Target, byte[] Content)> List(string prefix)
    {
        if (!CredEnumerate(prefix + "*", 0, out var count, out var all))
        {
            ThrowUnlessNotFound("list");
            return [];
        }
        try
        {
            var entries = new List<(string, byte[])>((int)count);
            for (var i = 0u; i < count; i++)
            {
                if (all[i]->Type == Generic)
                {
                    entries.Add((new string(all[i]->TargetName), ContentOf(*all[i])));
                }
            }
            return entries;
        }
        finally
        {
            CredFree(all);
        }
    }

    private static byte[] ContentOf(in Credential credential) =>
        new ReadOnlySpan<byte>(credential.CredentialBlob, (int)credential.CredentialBlobSize).ToArray();

    private static void ThrowUnlessNotFound(string verb)
    {
        if (Marshal.GetLastPInvokeError() is var code and not NotFound)
        {
            throw Failed(verb, code);
        }
    }

    private static McpAuthException Failed(string verb, int code) => new(ErrorReason.VaultUnavailable, code == NoSuchLogonSession
        ? "Windows does not store credentials for this logon session, as in a service or over SSH (Windows error 1312)."
        : $"The Credential Manager could not {verb} an entry "
          + $"(Windows error {code}: {UntrustedText.Sanitize(Marshal.GetPInvokeErrorMessage(code)).TrimEnd('.')}).",
        $"Use the encrypted file with: {new UseVaultStep(EncryptedFileVault.VaultName)}");

    [LibraryImport("advapi32", EntryPoint = "CredReadW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CredRead(string target, uint type, uint flags, out Credential* credential);

    [LibraryImport("advapi32", EntryPoint = "CredWriteW", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CredWrite(Credential* credential, uint flags);

    [LibraryImport("advapi32", EntryPoint = "CredDeleteW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CredDelete(string target, uint type, uint flags);

    [LibraryImport("advapi32", EntryPoint = "CredEnumerateW", SetLastError = true, StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CredEnumerate(string filter, uint flags, out uint count, out Credential** credentials);

    [LibraryImport("advapi32", EntryPoint = "CredFree")]
    private static partial void CredFree(void* buffer);

    /// <summary>CREDENTIALW.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Credential
    {
        public uint Flags;
        public uint Type;
        public char* TargetName;
        public char* Comment;
        public uint LastWrittenLow;
        public uint LastWrittenHigh;
        public uint CredentialBlobSize;
        public byte* CredentialBlob;
        public uint Persist;
        public uint AttributeCount;
        public void* Attributes;
        public char* TargetAlias;
        public char* UserName;
    }
}
