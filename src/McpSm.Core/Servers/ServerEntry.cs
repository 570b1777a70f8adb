using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>One element of <c>remoteServers</c> in <c>config.json</c>, as the npm tool 2.6.1 shapes it.</summary>
internal static class ServerEntry
{
    public static McpServer Read(JsonNode? node, int index, string path)
    {
        var where = $"remoteServers[{index}]";
        var entry = node as JsonObject ?? throw JsonFile.Corrupt(path, $"{where} is not an object");
        var id = Text(entry, "id");
        var url = Text(entry, "url") ?? throw JsonFile.Corrupt(path, $"{where} has no 'url'");
        if (!ServerName.IsId(id))
        {
            throw JsonFile.Corrupt(path, $"{where} has no 'id' of letters, digits and dashes");
        }
        var oauth = entry["oauth"] as JsonObject;
        return new McpServer
        {
            Id = id!,
            Name = ForeignText.Clean(Text(entry, "name")) is { Length: > 0 } name ? name : id!,
            Url = url,
            Transport = Text(entry, "type") switch
            {
                null or "http" or "streamable-http" => McpTransport.Http,
                "sse" => McpTransport.Sse,
                _ => throw JsonFile.Corrupt(path, $"{where} has a 'type' that is neither http nor sse"),
            },
            OAuth = oauth?["enabled"] is JsonValue enabled && enabled.TryGetValue<bool>(out var on)
                ? on ? OAuthMode.On : OAuthMode.Off : OAuthMode.Unset,
            ClientId = Text(oauth, "clientId"),
            ClientMetadataUrl = Text(oauth, "clientMetadataUrl"),
            Scopes = Texts(oauth, "scopes"),
            Issuer = Text(oauth, "authServerUrl"),
            AllowLegacyEndpoints = oauth?["allowLegacyEndpoints"] is JsonValue legacy
                && legacy.TryGetValue<bool>(out var allowed) && allowed,
            Plaintext = new PlaintextSecrets(Text(entry, "bearerToken"), Text(oauth, "clientSecret"), Headers(entry)),
        };
    }

    /// <summary>Writes what we know into an entry and leaves all else in it, the plaintext of others included.</summary>
    public static JsonObject Write(McpServer server, JsonObject entry)
    {
        entry["id"] = server.Id;
        entry["name"] = server.Name;
        entry["type"] = server.Transport == McpTransport.Sse ? "sse" : "http";
        entry["url"] = server.Url;
        var oauth = entry["oauth"] as JsonObject ?? [];
        Put(oauth, "enabled", server.OAuth == OAuthMode.Unset ? null : JsonValue.Create(server.OAuth == OAuthMode.On));
        Put(oauth, "clientId", server.ClientId);
        Put(oauth, "clientMetadataUrl", server.ClientMetadataUrl);
        Put(oauth, "scopes", server.Scopes.Count == 0 ? null
            : new JsonArray([.. server.Scopes.Select(s => (JsonNode)s)]));
        Put(oauth, "authServerUrl", server.Issuer);
        Put(oauth, "allowLegacyEndpoints", server.AllowLegacyEndpoints ? JsonValue.Create(true) : null);
        if (oauth.Count == 0)
        {
            entry.Remove("oauth");
        }
        else if (oauth.Parent is null)
        {
            entry["oauth"] = oauth;
        }
        return entry;
    }

    private static void Put(JsonObject to, string name, JsonNode? value)
    {
        if (value is null)
        {
            to.Remove(name);
        }
        else
        {
            to[name] = value;
        }
    }

    private static string? Text(JsonObject? from, string name) =>
        from?[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;

    private static List<string> Texts(JsonObject? from, string name) => from?[name] is JsonArray array
        ? [.. array.OfType<JsonValue>().Select(v => v.TryGetValue<string>(out var text) ? text : null).OfType<string>()]
        : [];

    private static Dictionary<string, string> Headers(JsonObject entry)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in entry["headers"] as JsonObject ?? [])
        {
            if (value is JsonValue text && text.TryGetValue<string>(out var written))
            {
                headers[name] = written;
            }
        }
        return headers;
    }
}
