using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace McpSm.Samples;

/// <summary>A JWT in compact form that says it is signed (RFC 7519, RFC 7515). Nothing in it is proven by that.</summary>
internal sealed class SignedJwt
{
    private readonly byte[] _text;
    private readonly byte[] _signature;

    private SignedJwt(JsonElement header, JsonElement claims, byte[] text, byte[] signature) =>
        (Header, Claims, _text, _signature) = (header, claims, text, signature);

    /// <summary>The algorithms that are taken (RFC 7518 section 3.1).</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["RS256", "ES256"];

    public JsonElement Header { get; }

    public JsonElement Claims { get; }

    /// <exception cref="JwtException">It is none.</exception>
    public static SignedJwt Read(string jwt)
    {
        try
        {
            return jwt.Split('.') is [var header, var claims, var signature]
                && JsonDocument.Parse(Decode(header)).RootElement is { ValueKind: JsonValueKind.Object } head
                && JsonDocument.Parse(Decode(claims)).RootElement is { ValueKind: JsonValueKind.Object } body
                ? new SignedJwt(head, body, Encoding.ASCII.GetBytes($"{header}.{claims}"), Decode(signature)) : throw new JwtException("it is not a JWT");
        }
        catch (JsonException)
        {
            throw new JwtException("it is not a JWT");
        }
    }

    /// <summary>Whether this public key belongs to the one that signed it.</summary>
    public bool IsSignedBy(AsymmetricAlgorithm key)
    {
        try
        {
            return (Text(Header, "alg"), key) switch
            {
                ("RS256", RSA rsa) => rsa.VerifyData(_text, _signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                ("ES256", ECDsa { KeySize: 256 } ecdsa) => ecdsa.VerifyData(_text, _signature, HashAlgorithmName.SHA256),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <exception cref="JwtException">There is no such text.</exception>
    public static string Text(JsonElement json, string name) => OptionalText(json, name) ?? throw new JwtException($"{name} is missing");

    /// <summary>Null where there is no such text.</summary>
    public static string? OptionalText(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>A NumericDate (RFC 7519 section 2).</summary>
    /// <exception cref="JwtException">There is no such time.</exception>
    public DateTimeOffset Time(string name) => OptionalTime(name) ?? throw new JwtException($"{name} is missing");

    /// <summary>Null where there is no such time.</summary>
    public DateTimeOffset? OptionalTime(string name) =>
        Claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds)
            && seconds is > 0 and < 253402300799 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    private static byte[] Decode(string part)
    {
        try
        {
            return Base64Url.DecodeFromChars(part);
        }
        catch (FormatException)
        {
            throw new JwtException("it is not base64url");
        }
    }
}
