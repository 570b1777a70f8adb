using System.Text.Json.Serialization;
using McpSm.Core.Errors;
using McpSm.Core.Grants;

namespace McpSm.Core.Credentials;

/// <summary>A person's session at an identity provider, which every server of the organisation is signed in to with (rule 34 of docs/rules.md).</summary>
public sealed record IdentitySession
{
    /// <summary>As the identity provider knows us.</summary>
    [JsonPropertyName("client")]
    public required ClientIdentity Client { get; init; }

    /// <summary>Goes back to the identity provider alone, to be exchanged.</summary>
    [JsonPropertyName("idToken")]
    public required string IdToken { get; init; }

    /// <summary>Who signed in (<c>sub</c>): a renewal must give the same.</summary>
    [JsonPropertyName("subject")]
    public required string Subject { get; init; }
    [JsonPropertyName("refreshToken")]
    public string? RefreshToken { get; init; }
    [JsonPropertyName("signedInAt")]
    public DateTimeOffset SignedInAt { get; init; }
    [JsonPropertyName("issuedAt")]
    public DateTimeOffset IssuedAt { get; init; }

    /// <summary>When the ID token expires.</summary>
    [JsonPropertyName("expiresAt")]
    public DateTimeOffset ExpiresAt { get; init; }
    [JsonPropertyName("scopes")]
    public IReadOnlyList<string> Scopes { get; init; } = [];
    [JsonPropertyName("tokenEndpoint")]
    public required string TokenEndpoint { get; init; }
    [JsonPropertyName("revocationEndpoint")]
    public string? RevocationEndpoint { get; init; }

    /// <summary>When the endpoints were read from the provider's metadata.</summary>
    [JsonPropertyName("metadataReadAt")]
    public DateTimeOffset MetadataReadAt { get; init; }

    /// <summary>
    /// The session with what a sign-in or renewal gave. Its access token is not kept: nothing is asked of the provider with it.
    /// </summary>
    internal IdentitySession With(TokenSet tokens, IdToken identity) => this with
    {
        IdToken = tokens.IdToken!,
        Subject = identity.Subject,
        RefreshToken = tokens.RefreshToken,
        IssuedAt = tokens.IssuedAt,
        ExpiresAt = identity.ExpiresAt,
        Scopes = tokens.Scopes,
    };

    /// <summary>As <see cref="OAuthCredential.MayEndWith"/>: what was given to one client for one person.</summary>
    internal bool MayEndWith(IdentitySession other) => Client.Id == other.Client.Id && Subject == other.Subject;

    public override string ToString() => $"identity session, ID token expires {ExpiresAt:u}";
}

/// <summary>
/// The vault item of one identity provider, <c>mcpsmidp-&lt;16 hex of SHA-256(issuer)&gt;</c>: the secret of the user's client
/// there, and the session.
/// </summary>
public sealed record IdentityItem
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>The client that <see cref="ClientSecret"/> is of.</summary>
    [JsonPropertyName("clientId")]
    public string? ClientId { get; init; }
    [JsonPropertyName("clientSecret")]
    public string? ClientSecret { get; init; }
    [JsonPropertyName("session")]
    public IdentitySession? Session { get; init; }

    public override string ToString() => "identity item";
}

/// <summary>The non-secret side of an <see cref="IdentityItem"/>.</summary>
public sealed record IdentityFacts
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }
    [JsonPropertyName("vault")]
    public required string Vault { get; init; }
    [JsonPropertyName("clientId")]
    public string? ClientId { get; init; }

    /// <summary>Null where nobody is signed in.</summary>
    [JsonPropertyName("signedInAt")]
    public DateTimeOffset? SignedInAt { get; init; }
    [JsonPropertyName("expiresAt")]
    public DateTimeOffset? ExpiresAt { get; init; }
    [JsonPropertyName("canRenew")]
    public bool CanRenew { get; init; }

    /// <summary>When a renewal was begun whose outcome is not known: its answer was lost, or its process killed.</summary>
    [JsonPropertyName("renewalBegan")]
    public DateTimeOffset? RenewalBegan { get; init; }

    /// <summary>As <see cref="ServerFacts.Pending"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonPropertyName("pending")]
    public bool Pending { get; init; }

    /// <summary>As <see cref="ServerFacts.RenewalRefused"/>.</summary>
    [JsonPropertyName("renewalRefused")]
    public RefusedRenewal? RenewalRefused { get; init; }

    /// <summary>As <see cref="ServerFacts.RenewalFailed"/>.</summary>
    [JsonPropertyName("renewalFailed")]
    public FailedRenewal? RenewalFailed { get; init; }

    internal static IdentityFacts Of(IdentityItem item, string vault) => new()
    {
        Issuer = item.Issuer,
        Vault = vault,
        ClientId = item.Session?.Client.Id,
        SignedInAt = item.Session?.SignedInAt,
        ExpiresAt = item.Session?.ExpiresAt,
        CanRenew = item.Session?.RefreshToken is not null,
    };
}
