using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpSm.Core.Servers;

/// <summary>The member <c>relay</c> of an element of <c>remoteServers</c>: how <c>mcpsm proxy</c> relays the server.</summary>
internal static class RelayEntry
{
    private const string Name = "relay";

    /// <summary>Reads the settings. Members of an unexpected kind are ignored.</summary>
    public static RelaySettings Read(JsonElement entry) => ServerEntry.Member(entry, Name, JsonValueKind.Object) is not { } relay ? RelaySettings.None : new()
    {
        SignIn = IsTrue(relay, "signIn"),
        Fallback = IsTrue(relay, "fallback") ? true : ServerEntry.Member(relay, "fallback", JsonValueKind.False) is null ? null : false,
        AllowTools = ServerEntry.Texts(relay, "allowTools"),
        IgnoreTools = ServerEntry.Texts(relay, "ignoreTools"),
        RequestTimeout = Seconds(relay, "requestTimeout"),
        InitializeTimeout = Seconds(relay, "initializeTimeout"),
    };

    /// <summary>Writes the settings one by one, to keep members of a later version.</summary>
    public static void Write(RelaySettings settings, JsonObject entry)
    {
        var existing = entry[Name] as JsonObject;
        if (existing is null && settings == RelaySettings.None)
        {
            return;
        }
        var relay = existing ?? [];
        ServerEntry.Put(relay, "signIn", settings.SignIn ? JsonValue.Create(true) : null);
        ServerEntry.Put(relay, "fallback", settings.Fallback is { } fallback ? JsonValue.Create(fallback) : null);
        PutTexts(relay, "allowTools", settings.AllowTools);
        PutTexts(relay, "ignoreTools", settings.IgnoreTools);
        ServerEntry.Put(relay, "requestTimeout", settings.RequestTimeout is { } request ? JsonValue.Create(request) : null);
        ServerEntry.Put(relay, "initializeTimeout", settings.InitializeTimeout is { } initialize ? JsonValue.Create(initialize) : null);
        if (relay.Count == 0)
        {
            entry.Remove(Name);
        }
        else if (existing is null)
        {
            entry[Name] = relay;
        }
    }

    private static void PutTexts(JsonObject relay, string name, IReadOnlyList<string> texts) =>
        ServerEntry.Put(relay, name, texts.Count == 0 ? null : new JsonArray([.. texts.Select(text => (JsonNode)text)]));

    private static bool IsTrue(JsonElement relay, string name) => ServerEntry.Member(relay, name, JsonValueKind.True) is not null;

    private static int? Seconds(JsonElement relay, string name) =>
        ServerEntry.Member(relay, name, JsonValueKind.Number) is { } number && number.TryGetInt32(out var seconds) && seconds > 0 ? seconds : null;
}
