using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Configuration;

/// <summary>
/// <c>settings.json</c>: the vault in use, the callback port, the client metadata document, the identity provider. The npm tool stores its settings
/// in the same file; they are kept unchanged.
/// </summary>
internal sealed class Settings(AppEnvironment environment)
{
    private readonly string _path = environment.PathOf("settings.json");

    public string? Vault => Text("vault");

    public string? ClientMetadataUrl => Text("clientMetadataUrl");

    /// <summary>The port of the redirect URI; null if it is not set or not a valid port.</summary>
    public int? CallbackPort =>
        JsonFile.Read(_path)?["callbackPort"] is JsonValue value && value.TryGetValue<int>(out var port)
        && port is >= 0 and <= 65535 ? port : null;

    /// <summary>The vaults from which an unfinished move has not yet removed everything.</summary>
    public IReadOnlyList<string> MovingFrom => Texts(JsonFile.Read(_path)?["movingFrom"]);

    /// <summary>The identity provider for all servers that accept it; null if it is not set.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IdentityProviderSetting? IdentityProvider =>
        JsonFile.Read(_path)?["identityProvider"] is JsonObject provider && Text(provider["issuer"]) is { } issuer
            ? new(issuer, Text(provider["clientId"]), Texts(provider["scopes"])) : null;

    /// <summary>Sets the identity provider; null removes it.</summary>
    internal Task SetIdentityProviderAsync(IdentityProviderSetting? provider, CancellationToken cancellationToken) => ChangeAsync(root =>
    {
        root.Remove("identityProvider");
        if (provider is null)
        {
            return;
        }
        var entry = new JsonObject { ["issuer"] = provider.Issuer };
        if (provider.ClientId is not null)
        {
            entry["clientId"] = provider.ClientId;
        }
        if (provider.Scopes.Count > 0)
        {
            entry["scopes"] = new JsonArray([.. provider.Scopes.Select(s => (JsonNode)s)]);
        }
        root["identityProvider"] = entry;
    }, cancellationToken);

    /// <summary>Returns the stored value of a setting; null if it is not set.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    internal string? Find(UserSetting setting) => Text(setting.Member);

    /// <summary>Stores the value of a setting; null removes it.</summary>
    internal Task SetAsync(UserSetting setting, string? value, CancellationToken cancellationToken) => ChangeAsync(root =>
    {
        root.Remove(setting.Member);
        if (value is not null)
        {
            root[setting.Member] = value;
        }
    }, cancellationToken);

    /// <summary>Stores the name of the vault in use.</summary>
    public Task SetVaultAsync(string vault, CancellationToken cancellationToken) =>
        ChangeAsync(root => root["vault"] = vault, cancellationToken);

    /// <summary>Stores the vaults that a move has not finished with; an empty list removes the entry.</summary>
    internal Task SetMovingFromAsync(IReadOnlyList<string> vaults, CancellationToken cancellationToken) =>
        ChangeAsync(root => SetMovingFrom(root, vaults), cancellationToken);

    /// <summary>Adds a vault that a move has not finished with.</summary>
    /// <returns>False if the vault was already in the list.</returns>
    internal async Task<bool> AddMovingFromAsync(string vault, CancellationToken cancellationToken)
    {
        var isNew = false;
        await ChangeAsync(root =>
        {
            var vaults = Texts(root["movingFrom"]);
            isNew = !vaults.Contains(vault);
            SetMovingFrom(root, isNew ? [.. vaults, vault] : vaults);
        }, cancellationToken).ConfigureAwait(false);
        return isNew;
    }

    internal Task RemoveMovingFromAsync(string vault, CancellationToken cancellationToken) =>
        ChangeAsync(root => SetMovingFrom(root, [.. Texts(root["movingFrom"]).Where(v => v != vault)]), cancellationToken);

    /// <summary>Whether an item is obsolete but could not be removed from a vault, because the vault was not available.</summary>
    internal bool IsEnded(string vault, string item) => Ended(JsonFile.Read(_path)?["ended"]).Contains((vault, item));

    /// <summary>Records an obsolete item that may still be in a vault, and that the vault needs a cleanup.</summary>
    internal Task AddEndedAsync(string vault, string item, CancellationToken cancellationToken) => ChangeAsync(root =>
    {
        SetMovingFrom(root, [.. Texts(root["movingFrom"]).Union([vault])]);
        SetEnded(root, [.. Ended(root["ended"]).Union([(vault, item)])]);
    }, cancellationToken);

    /// <summary>Removes the record: the item was removed, or the vault has a newer item.</summary>
    internal Task RemoveEndedAsync(string vault, string item, CancellationToken cancellationToken) =>
        ChangeAsync(root => SetEnded(root, [.. Ended(root["ended"]).Except([(vault, item)])]), cancellationToken);

    private IEnumerable<(string? Vault, string? Item)> Ended(JsonNode? node) =>
        node is JsonArray entries ? entries.OfType<JsonObject>().Select(entry => (Text(entry["vault"]), Text(entry["item"]))) : [];

    private static void SetEnded(JsonObject root, IReadOnlyList<(string? Vault, string? Item)> ended)
    {
        root.Remove("ended");
        if (ended.Count > 0)
        {
            root["ended"] = new JsonArray([.. ended.Select(e => (JsonNode)new JsonObject { ["vault"] = e.Vault, ["item"] = e.Item })]);
        }
    }

    private static void SetMovingFrom(JsonObject root, IReadOnlyList<string> vaults)
    {
        root.Remove("movingFrom");
        if (vaults.Count > 0)
        {
            root["movingFrom"] = new JsonArray([.. vaults.Select(v => (JsonNode)v)]);
        }
    }

    private async Task ChangeAsync(Action<JsonObject> change, CancellationToken cancellationToken)
    {
        using var fileLock = await environment.LockAsync("settings", cancellationToken).ConfigureAwait(false);
        var root = JsonFile.ReadToChange(_path) ?? [];
        change(root);
        JsonFile.Write(_path, root);
    }

    private string? Text(string name) => Text(JsonFile.Read(_path)?[name]);

    private IReadOnlyList<string> Texts(JsonNode? node) => node is JsonArray texts ? [.. texts.Select(Text).OfType<string>()] : [];

    /// <summary>Returns the text of a node; null if it is not a text or empty.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt: the text contains an escaped unpaired surrogate.</exception>
    private string? Text(JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
        }
        catch (InvalidOperationException)
        {
            throw JsonFile.Corrupt(_path, "it contains a string that is not valid Unicode");
        }
    }
}
