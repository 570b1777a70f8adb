using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Client assertions: <c>private_key_jwt</c> of OpenID Connect Core section 9, over RFC 7523 section 3.</summary>
internal sealed class ClientAssertions(AuthorizationServerOptions options, Func<string> issuer)
{
    public const string Method = "private_key_jwt";
    public const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// <summary>The algorithms that are taken (RFC 7518 section 3.1).</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["RS256", "ES256"];

    private static readonly TimeSpan LongestLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(string ClientId, string Id), bool> _seen = new();

    /// <summary>Who an assertion says it is from. Nothing is proven by that.</summary>
    public static string SubjectOf(string assertion) => Text(Read(assertion).Claims, "sub");

    /// <summary>Makes sure that an assertion is this client's, for this issuer, fresh, and seen for the first time.</summary>
    /// <exception cref="OAuthException"><c>invalid_client</c>, status 401.</exception>
    public void Verify(string assertion, RegisteredClient client)
    {
        var (header, claims) = Read(assertion);
        var at = assertion.LastIndexOf('.');
        if (!IsSigned(Encoding.ASCII.GetBytes(assertion[..at]), Decode(assertion[(at + 1)..]), Text(header, "alg"), client.AssertionKey))
        {
            throw Refused("its signature is not the client's");
        }

        if (header.TryGetProperty("x5t#S256", out var thumbprint) && thumbprint.ToString() != ThumbprintOf(client.AssertionKey))
        {
            throw Refused("x5t#S256 is of another certificate");
        }

        if (Text(claims, "iss") != client.ClientId || Text(claims, "sub") != client.ClientId)
        {
            throw Refused("iss and sub must be the client_id");
        }

        if (Text(claims, "aud") != issuer())
        {
            throw Refused("aud must be the issuer identifier");
        }

        var now = options.TimeProvider.GetUtcNow();
        var (issuedAt, expires) = (Time(claims, "iat"), Time(claims, "exp"));
        if (expires <= now || expires > now + LongestLifetime || issuedAt > now + ClockSkew || issuedAt > expires)
        {
            throw Refused("it has expired, lasts too long or is from the future");
        }

        if (!_seen.TryAdd((client.ClientId, Text(claims, "jti")), true))
        {
            throw Refused("it was used before");
        }
    }

    private static bool IsSigned(byte[] text, byte[] signature, string algorithm, string? pem)
    {
        if (pem is null)
        {
            return false;
        }

        using var certificate = CertificateOf(pem);
        try
        {
            switch (algorithm)
            {
                case "RS256":
                    using (var rsa = certificate?.GetRSAPublicKey() ?? RSA.Create())
                    {
                        Import(rsa);
                        return rsa.VerifyData(text, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
                    }

                case "ES256":
                    using (var ecdsa = certificate?.GetECDsaPublicKey() ?? ECDsa.Create())
                    {
                        Import(ecdsa);
                        return ecdsa.KeySize == 256 && ecdsa.VerifyData(text, signature, HashAlgorithmName.SHA256);
                    }

                default:
                    return false;
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // The registered key is of the other kind.
            return false;
        }

        void Import(AsymmetricAlgorithm key)
        {
            if (certificate is null)
            {
                key.ImportFromPem(pem);
            }
        }
    }

    private static string? ThumbprintOf(string? pem)
    {
        using var certificate = pem is null ? null : CertificateOf(pem);
        return certificate is null ? null : Base64Url.EncodeToString(SHA256.HashData(certificate.RawData));
    }

    private static X509Certificate2? CertificateOf(string pem) =>
        pem.Contains("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal) ? X509Certificate2.CreateFromPem(pem) : null;

    private static (JsonElement Header, JsonElement Claims) Read(string assertion)
    {
        try
        {
            return assertion.Split('.') is [var header, var claims, _]
                && JsonDocument.Parse(Decode(header)).RootElement is { ValueKind: JsonValueKind.Object } head
                && JsonDocument.Parse(Decode(claims)).RootElement is { ValueKind: JsonValueKind.Object } body
                ? (head, body) : throw Refused("it is not a JWT");
        }
        catch (JsonException)
        {
            throw Refused("it is not a JWT");
        }
    }

    private static byte[] Decode(string part)
    {
        try
        {
            return Base64Url.DecodeFromChars(part);
        }
        catch (FormatException)
        {
            throw Refused("it is not base64url");
        }
    }

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text : throw Refused($"{name} is missing");

    private static DateTimeOffset Time(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds)
            && seconds is > 0 and < 253402300799 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw Refused($"{name} is missing");

    private static OAuthException Refused(string why) =>
        new("invalid_client", $"the client assertion was refused: {why}", StatusCodes.Status401Unauthorized);
}
