using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>
/// Checks the assertions of workloads: the JWT bearer grant (RFC 7523 section 2.1) with its rules (section 3), and the current
/// keys of the platform.
/// </summary>
internal sealed class WorkloadAssertions(AuthorizationServerOptions options, Func<string> issuer) : IDisposable
{
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly ConcurrentDictionary<(string Issuer, string Id), bool> _seen = new();

    /// <summary>Checks that an assertion is from an accepted workload, for this issuer, and valid now.</summary>
    /// <exception cref="OAuthException"><c>invalid_grant</c> (RFC 7523 section 3.1).</exception>
    public async Task VerifyAsync(string assertion, CancellationToken cancellationToken)
    {
        try
        {
            var jwt = SignedJwt.Read(assertion);
            var from = SignedJwt.Text(jwt.Claims, "iss");
            var platform = options.TrustedPlatforms.FirstOrDefault(p => p.Issuer == from) ?? throw new JwtException("its issuer is not trusted");
            if (!await IsSignedAsync(jwt, platform.Issuer, cancellationToken))
            {
                throw new JwtException("its signature is not valid");
            }

            Check(jwt, platform);
        }
        catch (JwtException e)
        {
            throw new OAuthException("invalid_grant", $"the assertion was refused: {e.Message}");
        }
    }

    public void Dispose() => _http.Dispose();

    private void Check(SignedJwt jwt, TrustedPlatform platform)
    {
        if (!platform.Subjects.Contains(SignedJwt.Text(jwt.Claims, "sub")))
        {
            throw new JwtException("its subject is not accepted");
        }

        // RFC 7523 section 3: the audience is the issuer identifier or the URL of the token endpoint.
        if (!Audiences(jwt.Claims).Any(a => a == issuer() || a == issuer() + IssuerEndpoints.Token))
        {
            throw new JwtException("its audience is not this issuer");
        }

        var now = options.TimeProvider.GetUtcNow();
        if (jwt.Time("exp") <= now - ClockSkew)
        {
            throw new JwtException("it has expired");
        }

        if (jwt.OptionalTime("nbf") > now + ClockSkew || jwt.OptionalTime("iat") > now + ClockSkew)
        {
            throw new JwtException("it is not valid yet");
        }

        if (platform.RefuseReplays && !_seen.TryAdd((platform.Issuer, SignedJwt.Text(jwt.Claims, "jti")), true))
        {
            throw new JwtException("it was used before");
        }
    }

    /// <summary>Returns whether the signature matches one of the current keys of an issuer.</summary>
    public async Task<bool> IsSignedAsync(SignedJwt jwt, string from, CancellationToken cancellationToken)
    {
        var kid = SignedJwt.OptionalText(jwt.Header, "kid");
        foreach (var key in (await KeysAsync(from, cancellationToken)).EnumerateArray())
        {
            if (kid is not null && SignedJwt.OptionalText(key, "kid") is { } named && named != kid)
            {
                continue;
            }

            using var candidate = Import(key);
            if (candidate is not null && jwt.IsSignedBy(candidate))
            {
                return true;
            }
        }

        return false;
    }

    private async Task<JsonElement> KeysAsync(string from, CancellationToken cancellationToken)
    {
        try
        {
            var metadata = await GetAsync(from + "/.well-known/openid-configuration");
            return SignedJwt.OptionalText(metadata, "issuer") == from
                && (await GetAsync(SignedJwt.Text(metadata, "jwks_uri"))).TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
                ? keys : throw new JwtException("its issuer publishes no keys");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw new OAuthException("temporarily_unavailable", "the keys of the issuer of the assertion are not available",
                StatusCodes.Status503ServiceUnavailable);
        }

        async Task<JsonElement> GetAsync(string url)
        {
            using var document = JsonDocument.Parse(await _http.GetStringAsync(url, cancellationToken));
            return document.RootElement.Clone();
        }
    }

    /// <summary>Returns a public key (RFC 7517); null for another key type.</summary>
    private static AsymmetricAlgorithm? Import(JsonElement key)
    {
        switch (SignedJwt.OptionalText(key, "kty"), SignedJwt.OptionalText(key, "crv"))
        {
            case ("RSA", _):
                return RSA.Create(new RSAParameters { Modulus = Number("n"), Exponent = Number("e") });
            case ("EC", "P-256"):
                return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Number("x"), Y = Number("y") } });
            default:
                return null;
        }

        byte[] Number(string name) => Base64Url.DecodeFromChars(SignedJwt.Text(key, name));
    }

    private static IEnumerable<string?> Audiences(JsonElement claims) => !claims.TryGetProperty("aud", out var audience) ? []
        : audience.ValueKind == JsonValueKind.Array ? audience.EnumerateArray().Where(a => a.ValueKind == JsonValueKind.String).Select(a => a.GetString())
        : audience.ValueKind == JsonValueKind.String ? [audience.GetString()] : [];
}
