using System.Text.Json.Serialization;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>An OAuth token set with all that it is bound to.</summary>
public sealed record OAuthCredential
{
    [JsonPropertyName("accessToken")]
    public required string AccessToken { get; init; }
    [JsonPropertyName("refreshToken")]
    public string? RefreshToken { get; init; }
    [JsonPropertyName("issuedAt")]
    public DateTimeOffset IssuedAt { get; init; }
    [JsonPropertyName("expiresAt")]
    public DateTimeOffset? ExpiresAt { get; init; }
    [JsonPropertyName("scopes")]
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Scopes that were asked for and not given (RFC 6749 section 5.1): a step-up does not ask for them again.</summary>
    [JsonPropertyName("deniedScopes")]
    public IReadOnlyList<string>? DeniedScopes { get; init; }

    /// <summary>Null where it was taken over from a program that kept no issuer: the first renewal finds it.</summary>
    [JsonPropertyName("issuer")]
    public string? Issuer { get; init; }
    [JsonPropertyName("resource")]
    public required string Resource { get; init; }
    [JsonPropertyName("client")]
    public required ClientIdentity Client { get; init; }

    /// <summary>Null as long as <see cref="Issuer"/> is.</summary>
    [JsonPropertyName("tokenEndpoint")]
    public string? TokenEndpoint { get; init; }
    [JsonPropertyName("revocationEndpoint")]
    public string? RevocationEndpoint { get; init; }

    /// <summary>When the endpoints were read from the issuer's metadata.</summary>
    [JsonPropertyName("metadataReadAt")]
    public DateTimeOffset MetadataReadAt { get; init; }

    /// <summary>The client's own, without a person: renewal repeats the grant (RFC 6749 section 4.4).</summary>
    [JsonPropertyName("isOfClient")]
    public bool IsOfClient { get; init; }

    /// <summary>Where the workload that signed in has its assertions from: renewal repeats the grant with the next one (RFC 7523).</summary>
    [JsonPropertyName("assertion")]
    public AssertionSource? Assertion { get; init; }

    /// <summary>The key that the access token is bound to (RFC 9449); null for a bearer token.</summary>
    [JsonPropertyName("dPoPKey")]
    public DPoPKey? DPoPKey { get; init; }

    /// <summary>The server takes no token that is not bound: one that renewal brings is refused.</summary>
    [JsonPropertyName("requiresDPoP")]
    public bool RequiresDPoP { get; init; }

    /// <summary>
    /// The issuer identifier of the identity provider that vouched for the person: renewal asks it again (rule 34 of docs/rules.md). The
    /// session there is an item of its own, <see cref="IdentityItem"/>.
    /// </summary>
    [JsonPropertyName("identityProvider")]
    public string? IdentityProvider { get; init; }

    [JsonIgnore]
    public SignedInBy SignedInBy => Assertion is not null ? SignedInBy.Workload : IsOfClient ? SignedInBy.Client
        : IdentityProvider is not null ? SignedInBy.IdentityProvider : SignedInBy.Person;

    [JsonIgnore]
    public bool CanRenew => SignedInBy != SignedInBy.Person || RefreshToken is not null;

    public OAuthCredential With(TokenSet tokens) => this with
    {
        AccessToken = tokens.AccessToken,
        RefreshToken = tokens.RefreshToken,
        IssuedAt = tokens.IssuedAt,
        // Without a refresh token it would only end a token early that the server may still take.
        ExpiresAt = tokens.ExpiresAt ?? (tokens.RefreshToken is null ? null : ExpiryHint.Of(tokens.AccessToken, tokens.IssuedAt)),
        Scopes = tokens.Scopes,
        DPoPKey = tokens.Key,
        Client = (tokens.Client ?? Client).Proven,
    };

    /// <summary>Puts the token into a request; where it is bound, with a proof for this request (RFC 9449 section 7.1).</summary>
    /// <exception cref="McpAuthException">VaultCorrupt: the key is damaged.</exception>
    internal void Authorize(HttpRequestMessage request, DateTimeOffset now)
    {
        request.Headers.Authorization = new(DPoPKey is null ? TokenType.Bearer : TokenType.DPoP, AccessToken);
        if (DPoPKey is not null)
        {
            request.Headers.Remove(DPoPProof.Header);
            request.Headers.Add(DPoPProof.Header,
                DPoPProof.Create(DPoPKey, request.Method, request.RequestUri!, now, AccessToken, DPoPNonces.For(request.RequestUri!)));
        }
    }

    /// <summary>
    /// Whether revoking the refresh token of this one may end the other too (RFC 7009 section 2.1): Keycloak ends all that a
    /// person gave a client, node oidc-provider all of one browser session, Auth0 what it is set to.
    /// </summary>
    internal bool MayEndWith(OAuthCredential other) => Issuer == other.Issuer && Client.Id == other.Client.Id;

    public override string ToString() => $"OAuth credential, expires {ExpiresAt:u}";
}

/// <summary>
/// The vault item of one server, <c>mcpsm-&lt;id&gt;</c>: its credential, and the secrets the user gave for it. What
/// binds it to the server stands in it, and only that is trusted.
/// </summary>
public sealed record ServerItem
{
    /// <summary>The server's URL when the item was written.</summary>
    [JsonPropertyName("url")]
    public required string Url { get; init; }
    [JsonPropertyName("bearerToken")]
    public string? BearerToken { get; init; }
    [JsonPropertyName("oAuth")]
    public OAuthCredential? OAuth { get; init; }
    [JsonPropertyName("clientSecret")]
    public string? ClientSecret { get; init; }

    /// <summary>
    /// The issuers that clients of the user's were first used with, by client id, and assertions, by their place: each is
    /// shown to no other (rule 15).
    /// </summary>
    [JsonPropertyName("clientIssuers")]
    public IReadOnlyDictionary<string, string>? ClientIssuers { get; init; }
    [JsonPropertyName("headers")]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>The access token to send, whatever its kind.</summary>
    [JsonIgnore]
    public string? Token => BearerToken ?? OAuth?.AccessToken;

    /// <summary>Puts the credential into a request, if there is one.</summary>
    internal void Authorize(HttpRequestMessage request, DateTimeOffset now)
    {
        if (BearerToken is not null)
        {
            request.Headers.Authorization = new(TokenType.Bearer, BearerToken);
        }
        else
        {
            OAuth?.Authorize(request, now);
        }
    }

    [JsonIgnore]
    public bool IsEmpty => BearerToken is null && OAuth is null && ClientSecret is null && Headers is null or { Count: 0 };

    /// <summary>Whether this was made for the server as it is now: its origin has not moved.</summary>
    public bool IsFor(McpServer server) =>
        UrlPolicy.TryParse(Url, out var made) && ResourceUri.SameOrigin(made, server.Uri);

    /// <summary>What of it may be used for the server: nothing after a move, no token outside its resource (rule 22).</summary>
    public ServerItem? UsableFor(McpServer server) => !IsFor(server) ? null
        : OAuth is { } oauth && !ResourceUri.Covers(oauth.Resource, server.Uri) ? this with { OAuth = null } : this;

    /// <summary>The item with a new credential, and with the tie of the user's client to its issuer.</summary>
    public ServerItem With(OAuthCredential credential) => this with
    {
        OAuth = credential,
        BearerToken = null,
        ClientIssuers = credential.Issuer is { } issuer
            && new[] { credential.Client.Kind == ClientKind.PreRegistered ? credential.Client.Id : null, credential.Assertion?.Place }.OfType<string>().ToList()
                is { Count: > 0 } tied
            ? new Dictionary<string, string>((ClientIssuers ?? new Dictionary<string, string>()).Where(t => !tied.Contains(t.Key))
                .Concat(tied.Select(t => KeyValuePair.Create(t, issuer)))) : ClientIssuers,
    };

    /// <summary>The server's own headers: those in the vault over those in <c>config.json</c>; none in the clear.</summary>
    /// <exception cref="McpAuthException">InvalidValue: one that another program wrote cannot be sent.</exception>
    public static IReadOnlyDictionary<string, string> HeadersFor(McpServer server, ServerItem? item)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (UrlPolicy.IsSecure(server.Uri))
        {
            foreach (var (name, value) in server.Plaintext.Headers.Concat(item?.Headers ?? new Dictionary<string, string>()))
            {
                headers[name] = value;
            }
        }
        return headers.FirstOrDefault(h => h.Value.Any(c => c is not ('\t' or (>= ' ' and <= '~')))).Key is not { } unsendable ? headers
            : throw new McpAuthException(ErrorReason.InvalidValue,
                $"The header {ForeignText.Clean(unsendable)} of '{server.Name}' in config.json cannot be sent: its value is not printable ASCII.",
                new UpdateServerStep(server, new StepOption(StepOptionKind.Header, unsendable)))
            { Server = server.Name };
    }

    public override string ToString() => "server item";
}

/// <summary>A dynamic registration as kept, by issuer (RFC 7591 section 3.2.1).</summary>
public sealed record KeptRegistration
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }
    [JsonPropertyName("client")]
    public required ClientIdentity Client { get; init; }
    [JsonPropertyName("ports")]
    public required IReadOnlyList<int> Ports { get; init; }

    /// <summary>The host of its redirect URI: <c>localhost</c> if the issuer took no other; null, as in older items, for 127.0.0.1.</summary>
    [JsonPropertyName("redirectHost")]
    public string? RedirectHost { get; init; }

    /// <summary>The scopes that the registration named; null where it named none.</summary>
    [JsonPropertyName("scopes")]
    public IReadOnlyList<string>? Scopes { get; init; }
    [JsonPropertyName("secretExpiresAt")]
    public DateTimeOffset? SecretExpiresAt { get; init; }

    /// <summary>
    /// A newer registration, made for a sign-in that has not succeeded yet; null if there is none. It takes the place of this one
    /// when a sign-in with it succeeds, so a sign-in that fails costs nothing, and the next try need not register again.
    /// </summary>
    [JsonPropertyName("candidate")]
    public KeptRegistration? Candidate { get; init; }

    public override string ToString() => "client registration";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ServerItem))]
[JsonSerializable(typeof(KeptRegistration))]
[JsonSerializable(typeof(FactsDocument))]
[JsonSerializable(typeof(NamedSecret))]
[JsonSerializable(typeof(IdentityItem))]
internal sealed partial class CredentialJson : JsonSerializerContext;
