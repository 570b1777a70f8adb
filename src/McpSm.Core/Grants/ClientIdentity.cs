using System.Text;
using System.Text.Json.Serialization;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>How we are known to one issuer, and how we prove it (RFC 6749 section 2.3).</summary>
public sealed record ClientIdentity(
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

    /// <summary>The issuer gives this client bound tokens alone (RFC 9449 section 5.2).</summary>
    [JsonPropertyName("isDPoPBound")]
    public bool IsDPoPBound { get; init; }

    /// <summary>
    /// The method to try once if the issuer does not know the client by <see cref="AuthMethod"/>: some issuers advertise two
    /// and read one. Null if the issuer does not advertise it, and as soon as one of the two has worked.
    /// </summary>
    [JsonPropertyName("otherMethod")]
    public string? OtherMethod { get; init; }

    /// <summary>The identity as it is kept once the issuer has accepted it.</summary>
    internal ClientIdentity Proven => OtherMethod is null ? this : this with { OtherMethod = null };

    /// <summary>The identity with its other method; null if there is none to try.</summary>
    internal ClientIdentity? WithOtherMethod => OtherMethod is null ? null : this with { AuthMethod = OtherMethod, OtherMethod = null };

    /// <summary>An identity that the user or the issuer gave, with the method the issuer advertises for it.</summary>
    /// <param name="method">The method that the issuer registered, or that worked before; null to choose one.</param>
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
        // RFC 8414 section 2: if nothing is advertised, client_secret_basic.
        var advertised = issuer.TokenEndpointAuthMethods;
        var first = method is Basic or Post ? method : advertised is null || advertised.Contains(Basic) || !advertised.Contains(Post) ? Basic : Post;
        var other = first == Basic ? Post : Basic;
        return new ClientIdentity(kind, id, secret, first)
        {
            OtherMethod = advertised is null or { Count: 0 } || advertised.Contains(other) ? other : null,
        };
    }

    /// <summary>What a request of this client holds that nobody may see, in the forms in which it travels.</summary>
    internal IReadOnlyList<string> Proofs => Secret is null ? []
        : [Secret, Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(Id)}:{Uri.EscapeDataString(Secret)}"))];

    /// <summary>Makes a request to the token, device or revocation endpoint this client's.</summary>
    /// <param name="issuer">The issuer's identifier: what is signed is for it alone.</param>
    /// <exception cref="Errors.McpAuthException">AuthenticationRequired: the key cannot be had.</exception>
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

    /// <summary>Without the secret: records print all their members.</summary>
    public override string ToString() => $"{Kind} client";
}
