using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>The non-secret side of an <see cref="IdentityProviderSecrets"/>.</summary>
public sealed record IdentitySessionInfo
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

    /// <summary>As <see cref="CredentialInfo.Pending"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonPropertyName("pending")]
    public bool Pending { get; init; }

    /// <summary>As <see cref="CredentialInfo.RenewalRefused"/>.</summary>
    [JsonPropertyName("renewalRefused")]
    public RefusedRenewal? RenewalRefused { get; init; }

    /// <summary>As <see cref="CredentialInfo.RenewalFailed"/>.</summary>
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
