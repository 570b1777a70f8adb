using System.Text.Json.Nodes;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults;

/// <summary>
/// <c>settings.json</c>: the vault in use, the callback port, the client metadata document. The npm tool keeps its
/// own settings in the same file; they are left as they are.
/// </summary>
public sealed class Settings(Home home)
{
    private readonly string _path = home.PathOf("settings.json");

    public string? Vault => Text("vault");

    public string? ClientMetadataUrl => Text("clientMetadataUrl");

    /// <summary>The port of the redirect; null where it is not set or not a port.</summary>
    public int? CallbackPort =>
        JsonFile.Read(_path)?["callbackPort"] is JsonValue value && value.TryGetValue<int>(out var port)
        && port is >= 0 and <= 65535 ? port : null;

    /// <summary>Remembers the vault in use.</summary>
    public async Task SetVaultAsync(string vault, CancellationToken cancellationToken)
    {
        using var held = await home.LockAsync("settings", cancellationToken).ConfigureAwait(false);
        var root = JsonFile.Read(_path) ?? [];
        root["vault"] = vault;
        JsonFile.Write(_path, root);
    }

    private string? Text(string name) =>
        JsonFile.Read(_path)?[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0
            ? text : null;
}
