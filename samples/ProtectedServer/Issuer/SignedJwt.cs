using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace McpSm.Samples;

/// <summary>A parsed JWT in compact form (RFC 7519, RFC 7515). Its signature is not checked yet.</summary>
internal sealed class SignedJwt
{
    private readonly byte[] _text;
    private readonly byte[] _signature;

    private SignedJwt(JsonElement header, JsonElement claims, byte[] text, byte[] signature) =>
        (Header, Claims, _text, _signature) = (header, claims, text, signature);

    /// <summary>The accepted algorithms (RFC 7518 section 3.1).</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["RS256", "ES256"];

    public JsonElement Header { get; }

    public JsonElement Claims { get; }

    /// <exception cref="JwtException">The text is not a signed JWT.</exception>
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

    /// <summary>Returns whether the signature matches this public key.</summary>
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

    /// <exception cref="JwtException">The claim is missing or not a text.</exception>
    public static string Text(JsonElement json, string name) => OptionalText(json, name) ?? throw new JwtException($"{name} is missing");

    /// <summary>Returns a text claim; null if it is missing or not a text.</summary>
    public static string? OptionalText(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>A NumericDate (RFC 7519 section 2).</summary>
    /// <exception cref="JwtException">The claim is missing or not a time.</exception>
    public DateTimeOffset Time(string name) => OptionalTime(name) ?? throw new JwtException($"{name} is missing");

    /// <summary>Returns a time claim; null if it is missing or not a time.</summary>
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
