using System.Buffers.Binary;
using System.Security.Cryptography;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>
/// The bytes of <c>credentials.enc</c>, big-endian:
/// <code>
///  0  8  "MCPSMENC"      10  2  check of 0..9      16 16  salt            64  4  length of the ciphertext
///  8  2  version, 1      12  1  key: 1 passphrase, 32 16  check of key    68 12  check of 0..67
///                               2 key file         48 12  nonce           80  …  ciphertext, then tag (16)
///                        13  1  1: items wait for   60  4  rounds
///                               another vault
///                        14  2  zero
/// </code>
/// The header is authenticated with the content (AES-256-GCM). Its checks only tell a damaged file from a wrong
/// passphrase and from a file of another version; every version starts with the first twelve bytes.
/// </summary>
internal static class EncryptedFileFormat
{
    private const int HeaderLength = 80;
    private const int TagLength = 16;
    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "MCPSMENC"u8;

    /// <param name="hasPending">Whether the content holds items that wait for another vault.</param>
    public static byte[] Seal(VaultKey key, ReadOnlySpan<byte> content, bool hasPending = false)
    {
        var file = new byte[HeaderLength + content.Length + TagLength];
        var header = file.AsSpan(0, HeaderLength);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16BigEndian(header[8..], Version);
        Digest(header[..10], header[10..12]);
        header[12] = key.Source.IsPassphrase ? (byte)1 : (byte)2;
        header[13] = hasPending ? (byte)1 : (byte)0;
        key.Source.Salt.CopyTo(header[16..]);
        key.Source.KeyCheckValue.CopyTo(header[32..]);
        RandomNumberGenerator.Fill(header[48..60]);
        BinaryPrimitives.WriteInt32BigEndian(header[60..], key.Source.Iterations);
        BinaryPrimitives.WriteInt32BigEndian(header[64..], content.Length);
        Digest(header[..68], header[68..80]);
        using var aes = new AesGcm(key.Key, TagLength);
        aes.Encrypt(header[48..60], content, file.AsSpan(HeaderLength, content.Length),
            file.AsSpan(HeaderLength + content.Length), header);
        return file;
    }

    /// <exception cref="McpAuthException">VaultCorrupt, VaultUnavailable.</exception>
    public static KeyHeader ReadHeader(ReadOnlySpan<byte> file)
    {
        if (file.Length < 12)
        {
            throw Damaged("it is cut short");
        }
        if (!file.StartsWith(Magic) || !IsDigest(file[..10], file[10..12]))
        {
            throw Damaged("its first bytes are not those of such a file");
        }
        if (BinaryPrimitives.ReadUInt16BigEndian(file[8..]) is var version && version != Version)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"credentials.enc has format {version}; this Mcpsm knows format {Version}. The file was not changed.",
                "Use the version of Mcpsm that wrote it.");
        }
        if (file.Length < HeaderLength)
        {
            throw Damaged("it is cut short");
        }
        var rounds = BinaryPrimitives.ReadUInt32BigEndian(file[60..]);
        if (!IsDigest(file[..68], file[68..80]) || file[12] is not (1 or 2) || (file[12] == 2 && rounds != 0))
        {
            throw Damaged("its header was changed");
        }
        if (file[12] == 1 && rounds is < EncryptedFileKeys.MinIterations or > EncryptedFileKeys.MaxIterations)
        {
            throw Damaged($"its header asks for {rounds} rounds of key derivation, and {EncryptedFileKeys.MinIterations} to {EncryptedFileKeys.MaxIterations} are safe");
        }
        var expected = HeaderLength + (long)BinaryPrimitives.ReadUInt32BigEndian(file[64..]) + TagLength;
        if (file.Length != expected)
        {
            throw Damaged(file.Length < expected ? "it is cut short" : "something was appended to it");
        }
        return new KeyHeader(file[12] == 1, (int)rounds, file[16..32].ToArray(), file[32..48].ToArray());
    }

    /// <summary>Whether items wait in the file for another vault, by its header alone.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt, VaultUnavailable.</exception>
    public static bool HasPending(ReadOnlySpan<byte> file)
    {
        ReadHeader(file);
        return file[13] == 1;
    }

    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    public static byte[] Open(VaultKey key, ReadOnlySpan<byte> file)
    {
        var content = new byte[file.Length - HeaderLength - TagLength];
        try
        {
            using var aes = new AesGcm(key.Key, TagLength);
            aes.Decrypt(file[48..60], file[HeaderLength..^TagLength], file[^TagLength..], content, file[..HeaderLength]);
            return content;
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Damaged("its content was changed");
        }
    }

    public static McpAuthException Damaged(string how) => new(ErrorReason.VaultCorrupt,
        $"credentials.enc is damaged: {how}. It was not changed.",
        $"Restore it from a backup, or move it away and sign in again with: {new SignInToAllStep()}");

    private static void Digest(ReadOnlySpan<byte> of, Span<byte> into)
    {
        Span<byte> whole = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(of, whole);
        whole[..into.Length].CopyTo(into);
    }

    private static bool IsDigest(ReadOnlySpan<byte> of, ReadOnlySpan<byte> digest)
    {
        Span<byte> made = stackalloc byte[digest.Length];
        Digest(of, made);
        return made.SequenceEqual(digest);
    }
}
