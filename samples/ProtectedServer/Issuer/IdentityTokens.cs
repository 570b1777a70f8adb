using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpSm.Samples;

/// <summary>
/// Signs the tokens of an identity provider: ID tokens (OpenID Connect Core section 2), and the ID-JAGs that they are exchanged
/// for (RFC 8693, draft-ietf-oauth-identity-assertion-authz-grant).
/// </summary>
internal sealed class IdentityTokens(AuthorizationServerOptions options, Func<string> issuer) : IDisposable
{
    public const string IdJag = "urn:ietf:params:oauth:token-type:id-jag";
    public const string IdJagHeaderType = "oauth-id-jag+jwt";
    public const string OpenId = "openid";
    private const string IdTokenType = "urn:ietf:params:oauth:token-type:id_token";

    // Short, because clients use an ID-JAG at once.
    private static readonly TimeSpan IdJagLifetime = TimeSpan.FromMinutes(5);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private DateTimeOffset Now => options.TimeProvider.GetUtcNow();

    public JsonObject PublicKey()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["x"] = Base64Url.EncodeToString(point.X),
            ["y"] = Base64Url.EncodeToString(point.Y),
            ["use"] = "sig",
            ["alg"] = "ES256",
        };
    }

    public string SignIdToken(string clientId, string? nonce)
    {
        var claims = Claims(clientId, options.Organisation!.IdTokenLifetime);
        if (nonce is not null)
        {
            claims["nonce"] = nonce;
        }

        return Sign("JWT", claims);
    }

    /// <summary>Handles a token exchange (RFC 8693 section 2) for an ID-JAG.</summary>
    public JsonObject Exchange(RegisteredClient client, Parameters form)
    {
        if (form.Required("requested_token_type") != IdJag || form.Required("subject_token_type") != IdTokenType)
        {
            throw new OAuthException("invalid_request", "an ID token can be exchanged only for an ID-JAG");
        }

        Verify(form.Required("subject_token"), client);
        var (audience, resource) = (form.Required("audience"), form.Required("resource"));
        var server = options.Organisation!.Find(audience, resource)
            ?? throw new OAuthException("invalid_target", "the organisation does not use this server");
        IReadOnlyList<string> scopes = [.. form.Scopes(form["scope"]?.Split(' ') ?? []).Intersect(server.Scopes)];
        var claims = Claims(audience, IdJagLifetime);
        claims["resource"] = resource;
        claims["client_id"] = server.ClientId;
        claims["jti"] = Secrets.New("");
        claims["scope"] = string.Join(' ', scopes);
        return new JsonObject
        {
            ["issued_token_type"] = IdJag,
            ["access_token"] = Sign(IdJagHeaderType, claims),
            ["token_type"] = "N_A",
            ["scope"] = string.Join(' ', scopes),
            ["expires_in"] = (long)IdJagLifetime.TotalSeconds,
        };
    }

    public void Dispose() => _key.Dispose();

    private void Verify(string idToken, RegisteredClient client)
    {
        try
        {
            var jwt = SignedJwt.Read(idToken);
            if (!jwt.IsSignedBy(_key) || SignedJwt.OptionalText(jwt.Header, "typ") == IdJagHeaderType)
            {
                throw new JwtException("it is not an ID token of this issuer");
            }

            if (SignedJwt.Text(jwt.Claims, "aud") != client.ClientId)
            {
                throw new JwtException("it was issued to another client");
            }

            if (jwt.Time("exp") <= Now)
            {
                throw new JwtException("it has expired");
            }
        }
        catch (JwtException e)
        {
            throw new OAuthException("invalid_grant", $"the ID token was refused: {e.Message}");
        }
    }

    private JsonObject Claims(string audience, TimeSpan lifetime) => new()
    {
        ["iss"] = issuer(),
        ["sub"] = Organisation.Person,
        ["aud"] = audience,
        ["iat"] = Now.ToUnixTimeSeconds(),
        ["exp"] = (Now + lifetime).ToUnixTimeSeconds(),
    };

    private string Sign(string type, JsonObject claims)
    {
        var text = Encode(new JsonObject { ["alg"] = "ES256", ["typ"] = type }) + "." + Encode(claims);
        return text + "." + Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256));
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes<JsonNode>(json));
}
