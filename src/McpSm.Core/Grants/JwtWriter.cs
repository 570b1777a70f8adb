using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace McpSm.Core.Grants;

/// <summary>The compact form of a signed JSON object (RFC 7515 section 7.1), as far as we make any.</summary>
internal static class JwtWriter
{
    /// <summary>What is signed: header and claims.</summary>
    public static byte[] SigningInput(Action<Utf8JsonWriter> header, Action<Utf8JsonWriter> claims) =>
        Encoding.ASCII.GetBytes(Part(header) + "." + Part(claims));

    /// <summary>The whole, of what was signed and its signature.</summary>
    public static string Serialize(byte[] text, byte[] signature) => Encoding.ASCII.GetString(text) + "." + Base64Url.EncodeToString(signature);

    /// <summary>An identifier that no other has: 128 bits.</summary>
    public static string NewId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    private static string Part(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        return Base64Url.EncodeToString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}
