using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace McpSm.Core.Vaults.Windows;

/// <summary>
/// A text in UTF-8, split into entries of at most 2,560 bytes. The head entry has one of these forms:
/// <code>
/// =text                                    the text, if it fits
/// #generation parts bytes sha-256          the number, total length and digest of the numbered parts of this generation
/// </code>
/// Only the head decides which parts are valid, so that replacing the head replaces all parts at once.
/// </summary>
internal sealed record ChunkedSecret(string Generation, int Parts, int Bytes, string Digest)
{
    /// <summary>The maximum size of an entry: CRED_MAX_CREDENTIAL_BLOB_SIZE, 5 × 512 bytes.</summary>
    public const int EntryBytes = 2560;

    /// <summary>
    /// The maximum length of a text in bytes of UTF-8. Tokens have a few thousand bytes; a text above the limit is probably the wrong file.
    /// </summary>
    public const int MaxBytes = 64 * 1024;

    private const byte Whole = (byte)'=';
    private const char Split = '#';

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Splits a text of at most <see cref="MaxBytes"/> bytes. A part may end within a character.</summary>
    /// <param name="text">The text in UTF-8.</param>
    /// <param name="generation">16 hexadecimal digits that are new for this item.</param>
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

    /// <summary>Returns the text of a head that contains it; null if the head refers to parts or is not valid UTF-8.</summary>
    public static string? TextOf(ReadOnlySpan<byte> head) => head is [Whole, .. var text] ? Decode(text) : null;

    /// <summary>Parses a head that refers to parts; null if it is not such a head.</summary>
    public static ChunkedSecret? Read(ReadOnlySpan<byte> head)
    {
        if (head is not [(byte)Split, .. var fields] || Encoding.Latin1.GetString(fields).Split(' ') is not [var generation, var parts, var bytes, var digest]
            || !int.TryParse(parts, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || !int.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return null;
        }
        var read = new ChunkedSecret(generation, count, length, digest);
        return IsGeneration(generation) && length is >= EntryBytes and <= MaxBytes && count == (length + EntryBytes - 1) / EntryBytes
            && digest.Length == 2 * SHA256.HashSizeInBytes && head.SequenceEqual(Encoding.ASCII.GetBytes(read.ToString())) ? read : null;
    }

    /// <summary>Joins the parts; null if they are not the parts that the head was made for.</summary>
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
