using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>Creates proofs that the sender of a request has the key (RFC 9449 section 4.2). A proof is a JWT for one request.</summary>
internal static class DPoPProof
{
    public const string Header = "DPoP";

    public const string Algorithm = "ES256";

    /// <summary>Creates the proof for one request.</summary>
    /// <remarks>
    /// <paramref name="accessToken"/> is the token of the request; null at the token endpoint. <paramref name="nonce"/> is the nonce that the
    /// receiver requires; null if it requires none.
    /// </remarks>
    /// <exception cref="McpAuthException">VaultCorrupt: the key is damaged.</exception>
    public static string Create(DPoPKey key, HttpMethod method, Uri uri, DateTimeOffset now, string? accessToken, string? nonce)
    {
        var (text, signature) = key.Sign((x, y) => JwtWriter.SigningInput(
            json =>
            {
                json.WriteString("typ", "dpop+jwt");
                json.WriteString("alg", Algorithm);
                json.WriteStartObject("jwk");
                json.WriteString("kty", "EC");
                json.WriteString("crv", "P-256");
                json.WriteString("x", x);
                json.WriteString("y", y);
                json.WriteEndObject();
            },
            json =>
            {
                json.WriteString("jti", JwtWriter.NewId());
                json.WriteString("htm", method.Method);
                json.WriteString("htu", Target(uri));
                json.WriteNumber("iat", now.ToUnixTimeSeconds());
                if (accessToken is not null)
                {
                    json.WriteString("ath", Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken))));
                }
                if (nonce is not null)
                {
                    json.WriteString("nonce", nonce);
                }
            }));
        return JwtWriter.Serialize(text, signature);
    }

    /// <summary>Returns the URI without user, query and fragment, with the host as it is sent.</summary>
    private static string Target(Uri uri)
    {
        var host = uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        return $"{uri.Scheme}://{host}{(uri.IsDefaultPort ? "" : $":{uri.Port}")}{uri.AbsolutePath}";
    }
}
