using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>The non-secret side of a client's registration with an issuer (<see cref="ClientRegistration"/>).</summary>
public sealed record RegistrationInfo
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>The vault that the registration was last written to.</summary>
    [JsonPropertyName("vault")]
    public string? Vault { get; init; }

    /// <summary>The ids of the servers that were signed in to as this client.</summary>
    [JsonPropertyName("servers")]
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>
    /// The client id that the issuer may have forgotten; null if none. Of another client than the one that is kept it says
    /// nothing: a second process may have replaced that.
    /// </summary>
    [JsonPropertyName("doubtedClient")]
    public string? DoubtedClient { get; init; }

    internal RegistrationInfo NotUsedBy(string id) =>
        Servers.Contains(id) ? this with { Servers = [.. Servers.Where(s => s != id)] } : this;

    /// <summary>Adds the id of a server; a session at an identity provider has none.</summary>
    internal RegistrationInfo UsedBy(string id) =>
        id.Length == 0 || Servers.Contains(id) ? this : this with { Servers = [.. Servers, id] };
}
