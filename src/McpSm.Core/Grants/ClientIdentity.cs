using System.Text;
using System.Text.Json.Serialization;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;

namespace McpSm.Core.Grants;

/// <summary>Our client at one issuer, and how it authenticates (RFC 6749 section 2.3).</summary>
internal sealed record ClientIdentity(
    [property: JsonPropertyName("kind")] ClientKind Kind,
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("secret")] string? Secret,
    [property: JsonPropertyName("authMethod")] string AuthMethod)
{
    public const string None = "none";
    public const string Basic = "client_secret_basic";
    public const string Post = "client_secret_post";
    public const string PrivateKeyJwt = "private_key_jwt";

    /// <summary>The key of <see cref="PrivateKeyJwt"/>; null with any other method.</summary>
    [JsonPropertyName("key")]
    public ClientKey? Key { get; init; }

    /// <summary>Whether the issuer gives this client only bound tokens (RFC 9449 section 5.2).</summary>
    [JsonPropertyName("isDPoPBound")]
    public bool IsDPoPBound { get; init; }

    /// <summary>
    /// The method to try once if the issuer rejects the client with <see cref="AuthMethod"/>: some issuers advertise two methods and read
    /// one. Null if the issuer does not advertise it, or after one of the two has worked.
    /// </summary>
    [JsonPropertyName("otherMethod")]
    public string? OtherMethod { get; init; }

    /// <summary>The identity to store after the issuer has accepted it.</summary>
    internal ClientIdentity Proven => OtherMethod is null ? this : this with { OtherMethod = null };

    /// <summary>The identity with its other method; null if it has no other method.</summary>
    internal ClientIdentity? WithOtherMethod => OtherMethod is null ? null : this with { AuthMethod = OtherMethod, OtherMethod = null };

    /// <summary>Creates an identity with an authentication method that the issuer advertises.</summary>
    /// <remarks><paramref name="method"/> is the method that the issuer registered, or that worked before; null to choose one.</remarks>
    public static ClientIdentity Create(ClientKind kind, string id, string? secret, AuthorizationServerMetadata issuer,
        string? method = null, ClientKey? key = null)
    {
        if (key is not null)
        {
            return new ClientIdentity(kind, id, null, PrivateKeyJwt) { Key = key };
        }
        if (secret is null)
        {
            return new ClientIdentity(kind, id, null, None);
        }
        // RFC 8414 section 2: the default is client_secret_basic.
        var advertised = issuer.TokenEndpointAuthMethods;
        var first = method is Basic or Post ? method : advertised is null || advertised.Contains(Basic) || !advertised.Contains(Post) ? Basic : Post;
        var other = first == Basic ? Post : Basic;
        return new ClientIdentity(kind, id, secret, first)
        {
            OtherMethod = advertised is null or { Count: 0 } || advertised.Contains(other) ? other : null,
        };
    }

    /// <summary>The secrets of this client, in each form in which a request can contain them. They must not be shown.</summary>
    internal IReadOnlyList<string> Proofs => Secret is null ? []
        : [Secret, Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(Id)}:{Uri.EscapeDataString(Secret)}"))];

    /// <summary>Authenticates a request to the token, device or revocation endpoint as this client.</summary>
    /// <remarks><paramref name="issuer"/> is the identifier of the issuer, and the audience of a signed assertion.</remarks>
    /// <exception cref="Errors.McpAuthException">AuthenticationRequired: the key is not available.</exception>
    internal void Sign(ProtocolRequest request, string issuer, TimeProvider time)
    {
        request.ClientId = Id;
        if (Key is not null)
        {
            request.ClientAssertion = Grants.PrivateKeyJwtBuilder.Create(Id, Key, issuer, time.GetUtcNow());
        }
        request.ClientSecret = Secret;
        request.ClientCredentialStyle = AuthMethod == Basic
            ? ClientCredentialStyle.AuthorizationHeader : ClientCredentialStyle.PostBody;
    }

    /// <summary>Hides the secret, because a record prints all its members.</summary>
    public override string ToString() => $"{Kind} client";
}
