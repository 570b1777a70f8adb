using System.Buffers.Binary;
using System.Security.Cryptography;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>
/// The binary format of <c>credentials.enc</c>, big-endian:
/// <code>
///  0  8  "MCPSMENC"      10  2  check of 0..9         16 16  salt              60  4  iterations
///  8  2  version, 1      12  1  key: 1 passphrase,    32 16  key check value   64  4  length of the ciphertext
///                               2 key file            48 12  nonce             68 12  check of 0..67
///                        13  1  1: has pending items                           80  …  ciphertext, then tag (16)
///                        14  2  zero
/// </code>
/// The header is authenticated together with the content (AES-256-GCM). The checks in the header only distinguish a damaged file from a wrong
/// passphrase and from a file of another version. Every version starts with the first twelve bytes.
/// </summary>
internal static class EncryptedFileFormat
{
    private const int HeaderLength = 80;
    private const int TagLength = 16;
    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "MCPSMENC"u8;

    /// <summary>Encrypts the content with a new nonce and returns the bytes of the file.</summary>
    /// <param name="key">The key of the file.</param>
    /// <param name="content">The plaintext.</param>
    /// <param name="hasPending">Whether the content has pending items, which wait for another vault.</param>
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

    /// <summary>Reads and checks the header.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt, VaultUnavailable.</exception>
    public static KeyHeader ReadHeader(ReadOnlySpan<byte> file)
    {
        if (file.Length < 12)
        {
            throw Damaged("the file is truncated");
        }
        if (!file.StartsWith(Magic) || !IsDigest(file[..10], file[10..12]))
        {
            throw Damaged("the file does not start with the expected bytes");
        }
        if (BinaryPrimitives.ReadUInt16BigEndian(file[8..]) is var version && version != Version)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"credentials.enc has format {version}, but this version of Mcpsm supports only format {Version}. The file was not changed.",
                "Use the version of Mcpsm that wrote the file.");
        }
        if (file.Length < HeaderLength)
        {
            throw Damaged("the file is truncated");
        }
        var iterations = BinaryPrimitives.ReadUInt32BigEndian(file[60..]);
        if (!IsDigest(file[..68], file[68..80]) || file[12] is not (1 or 2) || (file[12] == 2 && iterations != 0))
        {
            throw Damaged("the header was modified");
        }
        if (file[12] == 1 && iterations is < EncryptedFileKeys.MinIterations or > EncryptedFileKeys.MaxIterations)
        {
            throw Damaged($"the header sets {iterations} iterations for key derivation, but only {EncryptedFileKeys.MinIterations} to "
                + $"{EncryptedFileKeys.MaxIterations} are allowed");
        }
        var expected = HeaderLength + (long)BinaryPrimitives.ReadUInt32BigEndian(file[64..]) + TagLength;
        if (file.Length != expected)
        {
            throw Damaged(file.Length < expected ? "the file is truncated" : "data was appended to the file");
        }
        return new KeyHeader(file[12] == 1, (int)iterations, file[16..32].ToArray(), file[32..48].ToArray());
    }

    /// <summary>Returns whether the file has items that wait for another vault. Reads only the header.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt, VaultUnavailable.</exception>
    public static bool HasPending(ReadOnlySpan<byte> file)
    {
        ReadHeader(file);
        return file[13] == 1;
    }

    /// <summary>Decrypts the content.</summary>
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
            throw Damaged("the content was modified");
        }
    }

    /// <summary>The error for a damaged file.</summary>
    /// <param name="problem">A clause with a subject, such as "the file is truncated".</param>
    public static McpAuthException Damaged(string problem) => new(ErrorReason.VaultCorrupt,
        $"credentials.enc is damaged: {problem}. The file was not changed.",
        $"Restore the file from a backup, or move it away and sign in again with: {new SignInToAllStep()}");

    private static void Digest(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(source, hash);
        hash[..destination.Length].CopyTo(destination);
    }

    private static bool IsDigest(ReadOnlySpan<byte> source, ReadOnlySpan<byte> digest)
    {
        Span<byte> expected = stackalloc byte[digest.Length];
        Digest(source, expected);
        return expected.SequenceEqual(digest);
    }
}
