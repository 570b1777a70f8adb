using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace McpSm.Core.Tests.Formats;

/// <summary>
/// Reads an encrypted file by its documented format alone, without code of Mcpsm. If it can read a file that Mcpsm wrote, then Mcpsm used
/// the constants that older versions know.
/// </summary>
internal static class EncryptedFileReader
{
    private const int HeaderLength = 80;
    private const int TagLength = 16;

    /// <param name="secret">The 32 bytes of the key file.</param>
    public static Dictionary<string, string> OpenWithKeyFile(byte[] file, byte[] secret)
    {
        if (file[12] != 2)
        {
            throw new FormatException("The file is not under a key file.");
        }
        return Open(file, secret);
    }

    public static Dictionary<string, string> OpenWithPassphrase(byte[] file, string passphrase)
    {
        if (file[12] != 1)
        {
            throw new FormatException("The file is not under a passphrase.");
        }
        var rounds = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(60));
        return Open(file, Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(passphrase), file.AsSpan(16, 16), rounds, HashAlgorithmName.SHA256, 32));
    }

    private static Dictionary<string, string> Open(byte[] file, byte[] secret)
    {
        var salt = file[16..32];
        var check = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 16, salt, "mcpsm credentials.enc check"u8.ToArray());
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, salt, "mcpsm credentials.enc key"u8.ToArray());
        if (!file.AsSpan(0, 8).SequenceEqual("MCPSMENC"u8) || BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(8)) != 1
            || !SHA256.HashData(file.AsSpan(0, 10)).AsSpan(0, 2).SequenceEqual(file.AsSpan(10, 2))
            || !SHA256.HashData(file.AsSpan(0, 68)).AsSpan(0, 12).SequenceEqual(file.AsSpan(68, 12))
            || BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(64)) != file.Length - HeaderLength - TagLength)
        {
            throw new FormatException("The header is not that of version 1.");
        }
        if (!check.AsSpan().SequenceEqual(file.AsSpan(32, 16)))
        {
            throw new FormatException("The key-check value is not the one of this key.");
        }
        var content = new byte[file.Length - HeaderLength - TagLength];
        using var aes = new AesGcm(key, TagLength);
        aes.Decrypt(file.AsSpan(48, 12), file.AsSpan(HeaderLength, content.Length), file.AsSpan(file.Length - TagLength), content,
            file.AsSpan(0, HeaderLength));
        return JsonSerializer.Deserialize<Dictionary<string, string>>(content)!;
    }
}
