using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace McpSm.Samples;

/// <summary>Checks the DPoP proofs of one issuer or resource server (RFC 9449 section 4.3).</summary>
/// <param name="requireNonce">Whether each proof must contain the current nonce (sections 8 and 9).</param>
public sealed class DPoPProofs(TimeProvider time, bool requireNonce)
{
    public const string Algorithm = "ES256";

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _seen = new(StringComparer.Ordinal);

    /// <summary>The current nonce.</summary>
    public string Nonce { get; private set; } = Secrets.New("n_");

    /// <summary>Replaces the current nonce. The old one is refused from then on.</summary>
    public void Rotate() => Nonce = Secrets.New("n_");

    /// <summary>Adds the current nonce to a response if proofs must contain it.</summary>
    public void Offer(HttpResponse response)
    {
        if (requireNonce)
        {
            response.Headers["DPoP-Nonce"] = Nonce;
        }
    }

    /// <summary>Checks the proof of a request.</summary>
    /// <param name="accessToken">The token of the request; null at the token endpoint.</param>
    /// <returns>The thumbprint of the key (RFC 7638); null without a proof.</returns>
    /// <exception cref="DPoPException">The proof is for another request, not fresh or not signed, or the request has several proofs.</exception>
    public string? Verify(HttpRequest request, string? accessToken)
    {
        var headers = request.Headers["DPoP"];
        if (headers.Count == 0)
        {
            return null;
        }

        var proof = headers.Count == 1 ? headers[0]! : throw Refused("there are several");
        var (header, claims) = Read(proof);
        if (Text(header, "typ") != "dpop+jwt" || Text(header, "alg") != Algorithm)
        {
            throw Refused("its typ or alg is another");
        }

        var thumbprint = VerifySignature(proof, header.TryGetProperty("jwk", out var jwk) ? jwk : default);
        var url = UriHelper.BuildAbsolute(request.Scheme, request.Host, request.PathBase, request.Path);
        if (Text(claims, "htm") != request.Method || Text(claims, "htu") != url)
        {
            throw Refused("it is for another request");
        }

        if (accessToken is not null
            && Text(claims, "ath") != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken))))
        {
            throw Refused("it is for another token");
        }

        var now = time.GetUtcNow();
        var made = claims.TryGetProperty("iat", out var iat) && iat.ValueKind == JsonValueKind.Number && iat.TryGetInt64(out var seconds)
            && seconds is > 0 and < 253402300799 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw Refused("iat is missing");
        if ((now - made).Duration() > Window)
        {
            throw Refused("it is not fresh");
        }

        if (requireNonce && (!claims.TryGetProperty("nonce", out var nonce) || nonce.ToString() != Nonce))
        {
            throw new DPoPException("use_dpop_nonce", "the proof must contain the nonce");
        }

        foreach (var (old, _) in _seen.Where(s => now - s.Value > 2 * Window))
        {
            _seen.TryRemove(old, out _);
        }

        return _seen.TryAdd(Text(claims, "jti"), made) ? thumbprint : throw Refused("it was used before");
    }

    private static string VerifySignature(string proof, JsonElement jwk)
    {
        if (jwk.ValueKind != JsonValueKind.Object || jwk.TryGetProperty("d", out _) || Text(jwk, "kty") != "EC" || Text(jwk, "crv") != "P-256")
        {
            throw Refused("its jwk is not a public key on P-256");
        }

        var (x, y) = (Text(jwk, "x"), Text(jwk, "y"));
        var at = proof.LastIndexOf('.');
        try
        {
            using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Decode(x), Y = Decode(y) } });
            if (!key.VerifyData(Encoding.ASCII.GetBytes(proof[..at]), Decode(proof[(at + 1)..]), HashAlgorithmName.SHA256))
            {
                throw Refused("its signature is not of its key");
            }
        }
        catch (CryptographicException)
        {
            throw Refused("its jwk is not a public key on P-256");
        }

        return Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
    }

    private static (JsonElement Header, JsonElement Claims) Read(string proof)
    {
        try
        {
            return proof.Split('.') is [var header, var claims, _]
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

    private static DPoPException Refused(string why) => new("invalid_dpop_proof", $"the proof was refused: {why}");
}
