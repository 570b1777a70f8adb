using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>The index entry of a registration with an issuer: the non-secret side of its <see cref="ClientRegistration"/>.</summary>
internal sealed record RegistrationInfo
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>The vault that the registration was last written to.</summary>
    [JsonPropertyName("vault")]
    public string? Vault { get; init; }

    /// <summary>The ids of the servers that use this client.</summary>
    [JsonPropertyName("servers")]
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>
    /// The client id that the issuer may have forgotten, or null. If the stored registration has another client id, ignore
    /// this: another process has replaced the registration.
    /// </summary>
    [JsonPropertyName("doubtedClient")]
    public string? DoubtedClient { get; init; }

    internal RegistrationInfo NotUsedBy(string id) =>
        Servers.Contains(id) ? this with { Servers = [.. Servers.Where(s => s != id)] } : this;

    /// <summary>Adds the id of a server. The id is empty for a session at an identity provider, and is then ignored.</summary>
    internal RegistrationInfo UsedBy(string id) =>
        id.Length == 0 || Servers.Contains(id) ? this : this with { Servers = [.. Servers, id] };
}
