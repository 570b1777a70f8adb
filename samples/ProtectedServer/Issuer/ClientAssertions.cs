using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Checks client assertions: <c>private_key_jwt</c> (OpenID Connect Core section 9, RFC 7523 section 3).</summary>
internal sealed class ClientAssertions(AuthorizationServerOptions options, Func<string> issuer)
{
    public const string Method = "private_key_jwt";
    public const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly TimeSpan LongestLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(string ClientId, string Id), bool> _seen = new();

    /// <summary>Returns the client that an assertion names, without checking the signature.</summary>
    public static string SubjectOf(string assertion)
    {
        try
        {
            return SignedJwt.Text(SignedJwt.Read(assertion).Claims, "sub");
        }
        catch (JwtException e)
        {
            throw Refused(e.Message);
        }
    }

    /// <summary>Checks that an assertion is from this client, for this issuer, fresh, and not used before.</summary>
    /// <exception cref="OAuthException"><c>invalid_client</c>, status 401.</exception>
    public void Verify(string assertion, RegisteredClient client)
    {
        try
        {
            Check(SignedJwt.Read(assertion), client);
        }
        catch (JwtException e)
        {
            throw Refused(e.Message);
        }
    }

    private void Check(SignedJwt jwt, RegisteredClient client)
    {
        var claims = jwt.Claims;
        if (!IsSigned(jwt, client.AssertionKey))
        {
            throw Refused("its signature is not the client's");
        }

        if (jwt.Header.TryGetProperty("x5t#S256", out var thumbprint) && thumbprint.ToString() != ThumbprintOf(client.AssertionKey))
        {
            throw Refused("x5t#S256 is of another certificate");
        }

        if (SignedJwt.Text(claims, "iss") != client.ClientId || SignedJwt.Text(claims, "sub") != client.ClientId)
        {
            throw Refused("iss and sub must be the client_id");
        }

        if (SignedJwt.Text(claims, "aud") != issuer())
        {
            throw Refused("aud must be the issuer identifier");
        }

        var now = options.TimeProvider.GetUtcNow();
        var (issuedAt, expires) = (jwt.Time("iat"), jwt.Time("exp"));
        if (expires <= now || expires > now + LongestLifetime || issuedAt > now + ClockSkew || issuedAt > expires)
        {
            throw Refused("it has expired, lasts too long or is from the future");
        }

        if (!_seen.TryAdd((client.ClientId, SignedJwt.Text(claims, "jti")), true))
        {
            throw Refused("it was used before");
        }
    }

    private static bool IsSigned(SignedJwt jwt, string? pem)
    {
        if (pem is null)
        {
            return false;
        }

        using var certificate = CertificateOf(pem);
        return IsOf(certificate?.GetRSAPublicKey() ?? (certificate is null ? Import(RSA.Create()) : null))
            || IsOf(certificate?.GetECDsaPublicKey() ?? (certificate is null ? Import(ECDsa.Create()) : null));

        bool IsOf(AsymmetricAlgorithm? key)
        {
            using (key)
            {
                return key is not null && jwt.IsSignedBy(key);
            }
        }

        AsymmetricAlgorithm? Import(AsymmetricAlgorithm key)
        {
            try
            {
                key.ImportFromPem(pem);
                return key;
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                // The registered key is of another type.
                key.Dispose();
                return null;
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

    private static OAuthException Refused(string why) =>
        new("invalid_client", $"the client assertion was refused: {why}", StatusCodes.Status401Unauthorized);
}
