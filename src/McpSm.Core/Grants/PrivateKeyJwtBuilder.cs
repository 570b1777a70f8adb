using System.Buffers.Text;
using System.Security.Cryptography;
using Duende.IdentityModel;
using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>
/// Creates the assertion that authenticates a client with <c>private_key_jwt</c> (OpenID Connect Core section 9, RFC 7523 section 2.2). Its
/// audience is one issuer, so that no other issuer can use it (rule 33 of docs/rules.md).
/// </summary>
internal static class PrivateKeyJwtBuilder
{
    // It is used at once. The rest allows for clocks that differ.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    /// <summary>Creates an assertion for one request.</summary>
    /// <exception cref="McpAuthException">AuthenticationRequired: the key is not available.</exception>
    public static Duende.IdentityModel.Client.ClientAssertion Create(string clientId, ClientKey key, string issuer, DateTimeOffset now)
    {
        var (text, signature) = key.Sign((algorithm, certificate) => JwtWriter.SigningInput(
            json =>
            {
                json.WriteString("alg", algorithm);
                json.WriteString("typ", "JWT");
                // No kid: the issuer chooses the name of the key, and some issuers do not try other keys if the name is unknown.
                if (certificate is not null)
                {
                    json.WriteString("x5t#S256", Base64Url.EncodeToString(SHA256.HashData(certificate.RawData)));
                }
            },
            json =>
            {
                json.WriteString("iss", clientId);
                json.WriteString("sub", clientId);
                json.WriteString("aud", issuer);
                json.WriteString("jti", JwtWriter.NewId());
                json.WriteNumber("iat", now.ToUnixTimeSeconds());
                json.WriteNumber("exp", (now + Lifetime).ToUnixTimeSeconds());
            }));
        return new()
        {
            Type = OidcConstants.ClientAssertionTypes.JwtBearer,
            Value = JwtWriter.Serialize(text, signature),
        };
    }
}
