using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace McpSm.Core.Vaults.Windows;

/// <summary>
/// A text in entries of at most 2,560 bytes, UTF-8. The head entry is one of
/// <code>
/// =text                                    the text itself, where it fits
/// #generation parts bytes sha-256          what the numbered parts of that generation add up to
/// </code>
/// The head alone decides which parts count: to replace it is to replace them all.
/// </summary>
internal sealed record ChunkedSecret(string Generation, int Parts, int Bytes, string Digest)
{
    /// <summary>What one entry holds: CRED_MAX_CREDENTIAL_BLOB_SIZE, 5 × 512 bytes.</summary>
    public const int EntryBytes = 2560;

    /// <summary>The longest text, in bytes of UTF-8. Tokens are a few thousand; a wrong file given as one is more.</summary>
    public const int MaxBytes = 64 * 1024;

    private const byte Whole = (byte)'=';
    private const char Split = '#';

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Cuts a text of at most <see cref="MaxBytes"/>. Parts may end within a character.</summary>
    /// <param name="generation">16 hexadecimal digits that no set of this item had before.</param>
    public static (byte[] Head, IReadOnlyList<byte[]> Parts) ToChunks(byte[] text, string generation)
    {
        if (text.Length < EntryBytes)
        {
            return ([Whole, .. text], []);
        }
        byte[][] parts = [.. text.Chunk(EntryBytes)];
        var head = new ChunkedSecret(generation, parts.Length, text.Length, Convert.ToHexStringLower(SHA256.HashData(text)));
        return (Encoding.ASCII.GetBytes(head.ToString()), parts);
    }

    /// <summary>The text of a head that holds it itself; null where it does not, or is no UTF-8.</summary>
    public static string? TextOf(ReadOnlySpan<byte> head) => head is [Whole, .. var text] ? Decode(text) : null;

    /// <summary>What a head says of its parts; null where it is not such a head.</summary>
    public static ChunkedSecret? Read(ReadOnlySpan<byte> head)
    {
        if (head is not [(byte)Split, .. var said] || Encoding.Latin1.GetString(said).Split(' ') is not [var generation, var parts, var bytes, var digest]
            || !int.TryParse(parts, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || !int.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return null;
        }
        var read = new ChunkedSecret(generation, count, length, digest);
        return IsGeneration(generation) && length is >= EntryBytes and <= MaxBytes && count == (length + EntryBytes - 1) / EntryBytes
            && digest.Length == 2 * SHA256.HashSizeInBytes && head.SequenceEqual(Encoding.ASCII.GetBytes(read.ToString())) ? read : null;
    }

    /// <summary>The text that the parts add up to; null where they are not the very ones that the head was made of.</summary>
    public string? Join(IEnumerable<byte[]> parts)
    {
        byte[] text = [.. parts.SelectMany(p => p)];
        return text.Length == Bytes && Convert.ToHexStringLower(SHA256.HashData(text)) == Digest ? Decode(text) : null;
    }

    public static string NewGeneration() => RandomNumberGenerator.GetHexString(16, lowercase: true);

    public static bool IsGeneration(string text) => text.Length == 16 && text.All(char.IsAsciiHexDigitLower);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Split}{Generation} {Parts} {Bytes} {Digest}");

    private static string? Decode(ReadOnlySpan<byte> text)
    {
        try
        {
            return Strict.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
