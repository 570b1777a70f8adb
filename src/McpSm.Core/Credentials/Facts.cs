using System.Text.Json;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Credentials;

/// <summary>What kind of credential a server has.</summary>
public enum CredentialKind
{
    [JsonStringEnumMemberName("None")]
    None,
    [JsonStringEnumMemberName("Bearer")]
    Bearer,
    [JsonStringEnumMemberName("OAuth")]
    OAuth,
}

/// <summary>Who signed in.</summary>
public enum SignedInBy
{
    [JsonStringEnumMemberName("Person")]
    Person,
    /// <summary>A client of its own (RFC 6749 section 4.4).</summary>
    [JsonStringEnumMemberName("Client")]
    Client,
    /// <summary>A workload, with an assertion that its platform gives it (RFC 7523).</summary>
    [JsonStringEnumMemberName("Workload")]
    Workload,
    /// <summary>A person, at the identity provider of their organisation, which vouches for them at the server's issuer.</summary>
    [JsonStringEnumMemberName("IdentityProvider")]
    IdentityProvider,
}

/// <summary>The non-secret side of a credential.</summary>
public sealed record ServerFacts
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
    public bool IsCutOff => RenewalUncertain || RenewalBegan is not null;

    /// <summary>The server was seen to answer without a credential.</summary>
    [JsonPropertyName("seenOpen")]
    public bool SeenOpen { get; init; }

    /// <summary>The names of the headers that are kept with the credential; null if there is none.</summary>
    [JsonPropertyName("headerNames")]
    public IReadOnlyList<string>? HeaderNames { get; init; }

    /// <summary>Whether a client's secret is kept with the credential.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [JsonPropertyName("hasClientSecret")]
    public bool HasClientSecret { get; init; }

    public static ServerFacts Of(ServerItem item, string vault) => new()
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
        TokenType = item.BearerToken is null && item.OAuth?.DPoPKey is not null ? Grants.TokenType.DPoP : null,
    };
}

internal sealed record FactsDocument
{
    [JsonPropertyName("version")]
    public int Version { get; init; } = 1;
    [JsonPropertyName("servers")]
    public Dictionary<string, ServerFacts> Servers { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The vault of each named secret, by the name of its item.</summary>
    [JsonPropertyName("secrets")]
    public Dictionary<string, string>? Secrets { get; set; }

    /// <summary>The sessions at identity providers, by the name of their item.</summary>
    [JsonPropertyName("identities")]
    public Dictionary<string, IdentityFacts>? Identities { get; set; }

    /// <summary>The registrations with issuers, by the name of their item.</summary>
    [JsonPropertyName("registrations")]
    public Dictionary<string, RegistrationFacts>? Registrations { get; set; }
}

/// <summary><c>credentials.json</c>: the facts of all credentials, without a secret, so that status costs one read.</summary>
public sealed class FactsFile(Home home)
{
    private readonly string _path = home.PathOf("credentials.json");

    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column.</exception>
    public IReadOnlyDictionary<string, ServerFacts> Read() => Load().Servers;

    public ServerFacts? Read(string id) => Load(root => FactsReader.Read(root, id), null);

    /// <summary>Replaces the facts of one server; null removes them.</summary>
    public async Task WriteAsync(string id, Func<ServerFacts?, ServerFacts?> change, CancellationToken cancellationToken)
    {
        using var held = await home.LockAsync("facts", cancellationToken).ConfigureAwait(false);
        var document = Load();
        var before = document.Servers.GetValueOrDefault(id);
        var after = change(before);
        if (after == before)
        {
            return;
        }
        if (after is null)
        {
            document.Servers.Remove(id);
        }
        else
        {
            document.Servers[id] = after;
        }
        Write(document);
    }

    /// <summary>The vaults of named secrets, by the names of their items.</summary>
    public IReadOnlyDictionary<string, string> ReadSecrets() => Load().Secrets ?? [];

    /// <summary>Says in which vault a named secret is; null that it is in none.</summary>
    public async Task WriteSecretAsync(string item, string? vault, CancellationToken cancellationToken)
    {
        using var held = await home.LockAsync("facts", cancellationToken).ConfigureAwait(false);
        var document = Load();
        document.Secrets ??= new(StringComparer.Ordinal);
        if (document.Secrets.GetValueOrDefault(item) == vault)
        {
            return;
        }
        if (vault is null)
        {
            document.Secrets.Remove(item);
        }
        else
        {
            document.Secrets[item] = vault;
        }
        Write(document);
    }

    /// <summary>The sessions at identity providers, by the names of their items.</summary>
    public IReadOnlyDictionary<string, IdentityFacts> ReadIdentities() => Load().Identities ?? [];

    /// <summary>Replaces the facts of one session; null removes them.</summary>
    public async Task WriteIdentityAsync(string item, Func<IdentityFacts?, IdentityFacts?> change, CancellationToken cancellationToken)
    {
        using var held = await home.LockAsync("facts", cancellationToken).ConfigureAwait(false);
        var document = Load();
        document.Identities ??= new(StringComparer.Ordinal);
        var before = document.Identities.GetValueOrDefault(item);
        var after = change(before);
        if (after == before)
        {
            return;
        }
        if (after is null)
        {
            document.Identities.Remove(item);
        }
        else
        {
            document.Identities[item] = after;
        }
        Write(document);
    }

    /// <summary>The registrations with issuers, by the names of their items.</summary>
    public IReadOnlyDictionary<string, RegistrationFacts> ReadRegistrations() => Load().Registrations ?? [];

    /// <summary>Replaces the facts of one registration; null removes them.</summary>
    public async Task WriteRegistrationAsync(string item, Func<RegistrationFacts?, RegistrationFacts?> change, CancellationToken cancellationToken)
    {
        using var held = await home.LockAsync("facts", cancellationToken).ConfigureAwait(false);
        var document = Load();
        document.Registrations ??= new(StringComparer.Ordinal);
        var before = document.Registrations.GetValueOrDefault(item);
        var after = change(before);
        if (after == before)
        {
            return;
        }
        if (after is null)
        {
            document.Registrations.Remove(item);
        }
        else
        {
            document.Registrations[item] = after;
        }
        Write(document);
    }

    private void Write(FactsDocument document) =>
        WholeFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(document, CredentialJson.Default.FactsDocument));

    private FactsDocument Load() => Load(FactsReader.Read, new FactsDocument())!;

    private T? Load<T>(Func<JsonElement, T> read, T? absent)
    {
        if (WholeFile.Read(_path) is not { } content)
        {
            return absent;
        }
        JsonFile.RequireUtf8(_path, content);
        try
        {
            using var document = JsonDocument.Parse(JsonFile.WithoutMark(content));
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw JsonFile.Corrupt(_path, e);
        }
        catch (FormatException e)
        {
            throw JsonFile.Corrupt(_path, e.Message);
        }
        catch (InvalidOperationException)
        {
            // What JsonElement throws for a name that is half a surrogate pair.
            throw JsonFile.Corrupt(_path, "a name in it is not Unicode");
        }
    }
}
