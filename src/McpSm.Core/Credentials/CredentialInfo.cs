using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>The index entry of a server: the non-secret side of its credential.</summary>
internal sealed record CredentialInfo
{
    [JsonPropertyName("vault")]
    public string? Vault { get; init; }
    [JsonPropertyName("kind")]
    public CredentialKind Kind { get; init; }

    /// <summary>Null if there is no OAuth credential, or if the entry is older than this field.</summary>
    [JsonPropertyName("signedInBy")]
    public SignedInBy? SignedInBy { get; init; }
    [JsonPropertyName("url")]
    public string? Url { get; init; }
    [JsonPropertyName("issuer")]
    public string? Issuer { get; init; }

    /// <summary>The issuer identifier of the identity provider that the person signed in with.</summary>
    [JsonPropertyName("identityProvider")]
    public string? IdentityProvider { get; init; }
    [JsonPropertyName("resource")]
    public string? Resource { get; init; }
    [JsonPropertyName("scopes")]
    public IReadOnlyList<string>? Scopes { get; init; }
    [JsonPropertyName("issuedAt")]
    public DateTimeOffset? IssuedAt { get; init; }
    [JsonPropertyName("expiresAt")]
    public DateTimeOffset? ExpiresAt { get; init; }
    [JsonPropertyName("canRenew")]
    public bool CanRenew { get; init; }

    /// <summary>How the token is sent. Null means Bearer; older entries have no other type.</summary>
    [JsonPropertyName("tokenType")]
    public string? TokenType { get; init; }
    [JsonPropertyName("renewalUncertain")]
    public bool RenewalUncertain { get; init; }

    /// <summary>When a renewal began that has not recorded its end. Its process may have been killed.</summary>
    [JsonPropertyName("renewalBegan")]
    public DateTimeOffset? RenewalBegan { get; init; }

    /// <summary>The vault could not be written, so the credential waits for it in an encrypted file.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonPropertyName("pending")]
    public bool Pending { get; init; }

    /// <summary>The refusal of the last renewal, if it is permanent; null after a success.</summary>
    [JsonPropertyName("renewalRefused")]
    public RefusedRenewal? RenewalRefused { get; init; }

    /// <summary>The last renewal that failed without an answer; null after a success.</summary>
    [JsonPropertyName("renewalFailed")]
    public FailedRenewal? RenewalFailed { get; init; }

    /// <summary>Whether the outcome of a renewal is unknown. Only the holder of the lock can tell a running renewal from an interrupted one.</summary>
    [JsonIgnore]
    public bool IsInterrupted => RenewalUncertain || RenewalBegan is not null;

    /// <summary>The server answered a request that had no credential.</summary>
    [JsonPropertyName("seenOpen")]
    public bool AnsweredAnonymously { get; init; }

    /// <summary>The names of the headers that are stored with the credential; null if there are none.</summary>
    [JsonPropertyName("headerNames")]
    public IReadOnlyList<string>? HeaderNames { get; init; }

    /// <summary>Whether a client secret is stored with the credential.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonPropertyName("hasClientSecret")]
    public bool HasClientSecret { get; init; }

    public static CredentialInfo Create(ServerSecrets item, string vault) => new()
    {
        HeaderNames = item.Headers is { Count: > 0 } headers ? [.. headers.Keys.Order(StringComparer.OrdinalIgnoreCase)] : null,
        HasClientSecret = item.ClientSecret is not null,
        Vault = vault,
        Kind = item.BearerToken is not null ? CredentialKind.Bearer
            : item.OAuth is not null ? CredentialKind.OAuth : CredentialKind.None,
        SignedInBy = item.BearerToken is null ? item.OAuth?.SignedInBy : null,
        Url = item.Url,
        Issuer = item.OAuth?.Issuer,
        IdentityProvider = item.OAuth?.IdentityProvider,
        Resource = item.OAuth?.Resource,
        Scopes = item.OAuth?.Scopes,
        IssuedAt = item.OAuth?.IssuedAt,
        ExpiresAt = item.OAuth?.ExpiresAt,
        CanRenew = item.OAuth?.CanRenew == true,
        TokenType = item.BearerToken is null && item.OAuth?.DPoPKey is not null ? Http.TokenType.DPoP : null,
    };
}
