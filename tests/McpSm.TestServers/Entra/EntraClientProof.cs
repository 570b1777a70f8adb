using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace McpSm.TestServers.Entra;

/// <summary>Checks the authentication of a confidential client: a secret, or an assertion signed with the key of its certificate.</summary>
internal static class EntraClientProof
{
    public static void Verify(IFormCollection form, EntraApp app, string host, string tenant)
    {
        var good = form.ContainsKey("client_assertion")
            ? app.Certificate is { } certificate && IsSigned(form, app.ClientId, certificate, $"https://{host}/{tenant}/oauth2/v2.0/token")
            : app.Secret is not null && form["client_secret"] == app.Secret;
        if (!good)
        {
            throw new EntraException("invalid_client", "AADSTS7000215: invalid client secret or assertion", 401);
        }
    }

    private static bool IsSigned(IFormCollection form, string client, X509Certificate2 certificate, string audience)
    {
        var parts = form["client_assertion"].ToString().Split('.');
        var header = JsonSerializer.Deserialize<JsonElement>(Base64Url.DecodeFromChars(parts[0]));
        var claims = JsonSerializer.Deserialize<JsonElement>(Base64Url.DecodeFromChars(parts[1]));
        using var key = certificate.GetRSAPublicKey()!;
        return form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            && header.GetProperty("alg").GetString() == "PS256"
            && header.GetProperty("x5t#S256").GetString() == Base64Url.EncodeToString(SHA256.HashData(certificate.RawData))
            && claims.GetProperty("iss").GetString() == client && claims.GetProperty("sub").GetString() == client
            && claims.GetProperty("aud").GetString() == audience
            && long.Parse(claims.GetProperty("exp").ToString()) > DateTimeOffset.UtcNow.ToUnixTimeSeconds()
            && key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]),
                HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
    }
}
