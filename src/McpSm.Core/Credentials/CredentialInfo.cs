using System.Text.Json.Serialization;
using McpSm.Core.Http;

namespace McpSm.Core.Credentials;

/// <summary>The non-secret side of a credential.</summary>
public sealed record CredentialInfo
{
    [JsonPropertyName("vault")]
    public string? Vault { get; init; }
    [JsonPropertyName("kind")]
    public CredentialKind Kind { get; init; }

    /// <summary>Null where there is no OAuth credential, or its facts are from before this was kept.</summary>
    [JsonPropertyName("signedInBy")]
    public SignedInBy? SignedInBy { get; init; }
    [JsonPropertyName("url")]
    public string? Url { get; init; }
    [JsonPropertyName("issuer")]
    public string? Issuer { get; init; }

    /// <summary>The issuer identifier of the identity provider through which a person signed in.</summary>
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

    /// <summary>How the token is sent; null, as in facts of before there were others, for Bearer.</summary>
    [JsonPropertyName("tokenType")]
    public string? TokenType { get; init; }
    [JsonPropertyName("renewalUncertain")]
    public bool RenewalUncertain { get; init; }

    /// <summary>When a renewal was begun that has not ended: its process may have been killed before it could say so.</summary>
    [JsonPropertyName("renewalBegan")]
    public DateTimeOffset? RenewalBegan { get; init; }

    /// <summary>The credential is not in its vault, which could not be written, but waits for it in an encrypted file.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonPropertyName("pending")]
    public bool Pending { get; init; }

    /// <summary>The refusal of the last renewal, if it lasts; null after a success.</summary>
    [JsonPropertyName("renewalRefused")]
    public RefusedRenewal? RenewalRefused { get; init; }

    /// <summary>The last renewal that got no answer; null after a success.</summary>
    [JsonPropertyName("renewalFailed")]
    public FailedRenewal? RenewalFailed { get; init; }

    /// <summary>Whether the outcome of a renewal is unknown. Whoever holds no lock cannot tell one that goes on from one cut off.</summary>
    [JsonIgnore]
    public bool IsInterrupted => RenewalUncertain || RenewalBegan is not null;

    /// <summary>The server was seen to answer without a credential.</summary>
    [JsonPropertyName("seenOpen")]
    public bool AnsweredAnonymously { get; init; }

    /// <summary>The names of the headers that are kept with the credential; null if there is none.</summary>
    [JsonPropertyName("headerNames")]
    public IReadOnlyList<string>? HeaderNames { get; init; }

    /// <summary>Whether a client's secret is kept with the credential.</summary>
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
