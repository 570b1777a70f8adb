using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>The index entry of an identity provider: the non-secret side of its <see cref="IdentityProviderSecrets"/>.</summary>
internal sealed record IdentitySessionInfo
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }
    [JsonPropertyName("vault")]
    public required string Vault { get; init; }
    [JsonPropertyName("clientId")]
    public string? ClientId { get; init; }

    /// <summary>When the person signed in; null if no session exists.</summary>
    [JsonPropertyName("signedInAt")]
    public DateTimeOffset? SignedInAt { get; init; }
    [JsonPropertyName("expiresAt")]
    public DateTimeOffset? ExpiresAt { get; init; }
    [JsonPropertyName("canRenew")]
    public bool CanRenew { get; init; }

    /// <summary>When a renewal began whose outcome is unknown: its answer was lost, or its process was killed.</summary>
    [JsonPropertyName("renewalBegan")]
    public DateTimeOffset? RenewalBegan { get; init; }

    /// <summary>Like <see cref="CredentialInfo.Pending"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonPropertyName("pending")]
    public bool Pending { get; init; }

    /// <summary>Like <see cref="CredentialInfo.RenewalRefused"/>.</summary>
    [JsonPropertyName("renewalRefused")]
    public RefusedRenewal? RenewalRefused { get; init; }

    /// <summary>Like <see cref="CredentialInfo.RenewalFailed"/>.</summary>
    [JsonPropertyName("renewalFailed")]
    public FailedRenewal? RenewalFailed { get; init; }

    internal static IdentitySessionInfo Create(IdentityProviderSecrets item, string vault) => new()
    {
        Issuer = item.Issuer,
        Vault = vault,
        ClientId = item.Session?.Client.Id,
        SignedInAt = item.Session?.SignedInAt,
        ExpiresAt = item.Session?.ExpiresAt,
        CanRenew = item.Session?.RefreshToken is not null,
    };
}
