using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace McpSm.Core.Grants;

/// <summary>Writes signed JWTs in the compact form of RFC 7515 section 7.1.</summary>
internal static class JwtWriter
{
    /// <summary>Returns the text to sign: header and claims.</summary>
    public static byte[] SigningInput(Action<Utf8JsonWriter> header, Action<Utf8JsonWriter> claims) =>
        Encoding.ASCII.GetBytes(Part(header) + "." + Part(claims));

    /// <summary>Returns the JWT of a signed text and its signature.</summary>
    public static string Serialize(byte[] text, byte[] signature) => Encoding.ASCII.GetString(text) + "." + Base64Url.EncodeToString(signature);

    /// <summary>Returns a new identifier of 128 random bits.</summary>
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
