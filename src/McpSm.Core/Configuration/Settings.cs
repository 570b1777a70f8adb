using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Configuration;

/// <summary>
/// <c>settings.json</c>: the vault in use, the callback port, the client metadata document, the identity provider. The npm tool keeps its
/// own settings in the same file; they are left as they are.
/// </summary>
public sealed class Settings(AppEnvironment environment)
{
    private readonly string _path = environment.PathOf("settings.json");

    public string? Vault => Text("vault");

    public string? ClientMetadataUrl => Text("clientMetadataUrl");

    /// <summary>The port of the redirect; null where it is not set or not a port.</summary>
    public int? CallbackPort =>
        JsonFile.Read(_path)?["callbackPort"] is JsonValue value && value.TryGetValue<int>(out var port)
        && port is >= 0 and <= 65535 ? port : null;

    /// <summary>The vaults in which something may be left that is kept elsewhere by now: of a move that has not ended.</summary>
    public IReadOnlyList<string> MovingFrom => Texts(JsonFile.Read(_path)?["movingFrom"]);

    /// <summary>The identity provider for every server that takes its word; null where none is set.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IdentityProviderSetting? IdentityProvider =>
        JsonFile.Read(_path)?["identityProvider"] is JsonObject set && Text(set["issuer"]) is { } issuer
            ? new(issuer, Text(set["clientId"]), Texts(set["scopes"])) : null;

    /// <summary>Sets it; null for none.</summary>
    internal Task SetIdentityProviderAsync(IdentityProviderSetting? provider, CancellationToken cancellationToken) => ChangeAsync(root =>
    {
        root.Remove("identityProvider");
        if (provider is null)
        {
            return;
        }
        var set = new JsonObject { ["issuer"] = provider.Issuer };
        if (provider.ClientId is not null)
        {
            set["clientId"] = provider.ClientId;
        }
        if (provider.Scopes.Count > 0)
        {
            set["scopes"] = new JsonArray([.. provider.Scopes.Select(s => (JsonNode)s)]);
        }
        root["identityProvider"] = set;
    }, cancellationToken);

    /// <summary>Remembers the vault in use.</summary>
    public Task SetVaultAsync(string vault, CancellationToken cancellationToken) =>
        ChangeAsync(root => root["vault"] = vault, cancellationToken);

    /// <summary>Remembers that a move goes on; forgets it where there are none.</summary>
    internal Task SetMovingFromAsync(IReadOnlyList<string> vaults, CancellationToken cancellationToken) =>
        ChangeAsync(root => SetMovingFrom(root, vaults), cancellationToken);

    /// <summary>Remembers one more vault to clear up.</summary>
    /// <returns>False where it was remembered already.</returns>
    internal async Task<bool> AddMovingFromAsync(string vault, CancellationToken cancellationToken)
    {
        var isNew = false;
        await ChangeAsync(root =>
        {
            var before = Texts(root["movingFrom"]);
            isNew = !before.Contains(vault);
            SetMovingFrom(root, isNew ? [.. before, vault] : before);
        }, cancellationToken).ConfigureAwait(false);
        return isNew;
    }

    internal Task RemoveMovingFromAsync(string vault, CancellationToken cancellationToken) =>
        ChangeAsync(root => SetMovingFrom(root, [.. Texts(root["movingFrom"]).Where(v => v != vault)]), cancellationToken);

    /// <summary>Whether an item has ended that could not be removed from a vault, because that was gone.</summary>
    internal bool IsEnded(string vault, string item) => Ended(JsonFile.Read(_path)?["ended"]).Contains((vault, item));

    /// <summary>Remembers that an item has ended which may still be in a vault, and that the vault is to be cleared up.</summary>
    internal Task AddEndedAsync(string vault, string item, CancellationToken cancellationToken) => ChangeAsync(root =>
    {
        SetMovingFrom(root, [.. Texts(root["movingFrom"]).Union([vault])]);
        SetEnded(root, [.. Ended(root["ended"]).Union([(vault, item)])]);
    }, cancellationToken);

    /// <summary>Forgets it: the item was removed, or the vault holds another by now.</summary>
    internal Task RemoveEndedAsync(string vault, string item, CancellationToken cancellationToken) =>
        ChangeAsync(root => SetEnded(root, [.. Ended(root["ended"]).Except([(vault, item)])]), cancellationToken);

    private IEnumerable<(string? Vault, string? Item)> Ended(JsonNode? node) =>
        node is JsonArray all ? all.OfType<JsonObject>().Select(one => (Text(one["vault"]), Text(one["item"]))) : [];

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
        using var held = await environment.LockAsync("settings", cancellationToken).ConfigureAwait(false);
        var root = JsonFile.ReadToChange(_path) ?? [];
        change(root);
        JsonFile.Write(_path, root);
    }

    private string? Text(string name) => Text(JsonFile.Read(_path)?[name]);

    private IReadOnlyList<string> Texts(JsonNode? node) => node is JsonArray texts ? [.. texts.Select(Text).OfType<string>()] : [];

    /// <exception cref="McpAuthException">ConfigurationCorrupt: half a surrogate pair, escaped, is no text.</exception>
    private string? Text(JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
        }
        catch (InvalidOperationException)
        {
            throw JsonFile.Corrupt(_path, "a text in it is no Unicode");
        }
    }
}
