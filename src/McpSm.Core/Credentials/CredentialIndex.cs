using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Credentials;

/// <summary>
/// The credential index, <c>credentials.json</c>: what is known of all credentials, without their secrets. A status needs this one file.
/// </summary>
internal sealed class CredentialIndex(AppEnvironment environment)
{
    private readonly string _path = environment.PathOf("credentials.json");

    /// <summary>Reads the entries of all servers, by the ids of the servers.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column.</exception>
    public IReadOnlyDictionary<string, CredentialInfo> Read() => Load().Servers;

    /// <summary>Reads the entry of one server; null if it has none. Skips the other entries.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column.</exception>
    public CredentialInfo? Read(string id) => Load(root => CredentialIndexReader.Read(root, id), null);

    /// <summary>Replaces the entry of one server. If <paramref name="change"/> returns null, the entry is removed.</summary>
    public async Task WriteAsync(string id, Func<CredentialInfo?, CredentialInfo?> change, CancellationToken cancellationToken)
    {
        using var fileLock = await environment.LockAsync("facts", cancellationToken).ConfigureAwait(false);
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

    /// <summary>Reads the vaults of named secrets, by the names of their items.</summary>
    public IReadOnlyDictionary<string, string> ReadSecrets() => Load().Secrets ?? [];

    /// <summary>Records which vault a named secret is in. If <paramref name="vault"/> is null, the entry is removed.</summary>
    public async Task WriteSecretAsync(string item, string? vault, CancellationToken cancellationToken)
    {
        using var fileLock = await environment.LockAsync("facts", cancellationToken).ConfigureAwait(false);
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

    /// <summary>Reads the entries of the sessions at identity providers, by the names of their items.</summary>
    public IReadOnlyDictionary<string, IdentitySessionInfo> ReadIdentities() => Load().Identities ?? [];

    /// <summary>Replaces the entry of one session. If <paramref name="change"/> returns null, the entry is removed.</summary>
    public async Task WriteIdentityAsync(string item, Func<IdentitySessionInfo?, IdentitySessionInfo?> change, CancellationToken cancellationToken)
    {
        using var fileLock = await environment.LockAsync("facts", cancellationToken).ConfigureAwait(false);
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

    /// <summary>Reads the entries of the registrations with issuers, by the names of their items.</summary>
    public IReadOnlyDictionary<string, RegistrationInfo> ReadRegistrations() => Load().Registrations ?? [];

    /// <summary>Replaces the entry of one registration. If <paramref name="change"/> returns null, the entry is removed.</summary>
    public async Task WriteRegistrationAsync(string item, Func<RegistrationInfo?, RegistrationInfo?> change, CancellationToken cancellationToken)
    {
        using var fileLock = await environment.LockAsync("facts", cancellationToken).ConfigureAwait(false);
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

    private void Write(CredentialIndexDocument document) =>
        AtomicFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(document, CredentialJson.Default.CredentialIndexDocument));

    private CredentialIndexDocument Load() => Load(CredentialIndexReader.Read, new CredentialIndexDocument())!;

    private T? Load<T>(Func<JsonElement, T> read, T? absent)
    {
        if (AtomicFile.Read(_path) is not { } content)
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
            // JsonElement throws this for a name with half a surrogate pair.
            throw JsonFile.Corrupt(_path, "it has a name that is not valid Unicode");
        }
    }
}
