using System.Buffers.Text;
using System.Security.Cryptography;
using Duende.IdentityModel;
using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>
/// A client's signed word on who it is: <c>private_key_jwt</c> (OpenID Connect Core section 9, RFC 7523 section 2.2). It
/// is for one issuer alone, so that no other can use it (rule 33 of docs/rules.md).
/// </summary>
internal static class PrivateKeyJwtBuilder
{
    // It is used at once; the rest is for clocks that differ.
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    /// <exception cref="McpSm.Core.Errors.McpAuthException">AuthenticationRequired: the key cannot be had.</exception>
    public static Duende.IdentityModel.Client.ClientAssertion Create(string clientId, ClientKey key, string issuer, DateTimeOffset now)
    {
        var (text, signature) = key.Sign((algorithm, certificate) => JwtWriter.SigningInput(
            json =>
            {
                json.WriteString("alg", algorithm);
                json.WriteString("typ", "JWT");
                // No kid: its name for the key is the issuer's own, and a wrong one makes issuers look no further.
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
