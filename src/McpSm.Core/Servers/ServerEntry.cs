using System.Text.Json;
using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>An element of <c>remoteServers</c> in <c>config.json</c>, in the format of version 2.6.1 of the npm tool.</summary>
internal static class ServerEntry
{
    private const string AuthorizeParamsName = "authorizeParams";

    public static McpServer Read(JsonElement entry, int index, string path)
    {
        McpAuthException Corrupt(string problem) => JsonFile.Corrupt(path, $"remoteServers[{index}] {problem}");
        if (entry.ValueKind != JsonValueKind.Object)
        {
            throw Corrupt("is not an object");
        }
        var id = Text(entry, "id");
        var url = Text(entry, "url") ?? throw Corrupt("has no 'url'");
        if (!ServerName.IsId(id))
        {
            throw Corrupt("has no 'id' of letters, digits and dashes");
        }
        var oauth = Member(entry, "oauth", JsonValueKind.Object);
        return new McpServer
        {
            Id = id!,
            // The name usually equals the id. Sharing the string saves memory while the list exists.
            Name = Member(entry, "name", JsonValueKind.String)?.ValueEquals(id) == true ? id!
                : UntrustedText.Sanitize(Text(entry, "name")) is { Length: > 0 } name ? name : id!,
            Url = url,
            Transport = Text(entry, "type") switch
            {
                null or "http" or "streamable-http" => McpTransport.Http,
                "sse" => McpTransport.Sse,
                _ => throw Corrupt("has a 'type' that is neither http nor sse"),
            },
            OAuth = Member(oauth, "enabled", JsonValueKind.True) is not null ? OAuthMode.On
                : Member(oauth, "enabled", JsonValueKind.False) is not null ? OAuthMode.Off : OAuthMode.Unset,
            ClientId = Text(oauth, "clientId"),
            ClientMetadataUrl = Text(oauth, "clientMetadataUrl"),
            Scopes = Texts(oauth, "scopes"),
            Issuer = Text(oauth, "authServerUrl"),
            AllowLegacyEndpoints = Member(oauth, "allowLegacyEndpoints", JsonValueKind.True) is not null,
            DPoP = Text(oauth, "dpop") switch
            {
                null or "auto" => DPoPMode.Auto,
                "always" => DPoPMode.Always,
                "never" => DPoPMode.Never,
                _ => throw Corrupt("has a 'dpop' that is not auto, always or never"),
            },
            AuthorizeParams = AuthorizeParams(oauth),
            Relay = RelayEntry.Read(entry),
            Resource = Text(oauth, "resource"),
            Plaintext = new PlaintextSecrets(Text(entry, "bearerToken"), Text(oauth, "clientSecret"), Headers(entry)),
        };
    }

    /// <summary>Writes the known members into an entry and keeps all others, including the plaintext secrets of other programs.</summary>
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
        Put(oauth, "dpop", server.DPoP switch { DPoPMode.Always => "always", DPoPMode.Never => "never", _ => null });
        PutAuthorizeParams(oauth, server.AuthorizeParams);
        Put(oauth, "resource", server.Resource);
        if (oauth.Count == 0)
        {
            entry.Remove("oauth");
        }
        else if (oauth.Parent is null)
        {
            entry["oauth"] = oauth;
        }
        RelayEntry.Write(server.Relay, entry);
        return entry;
    }

    /// <summary>Writes the parameters one by one, to keep members that are not parameters.</summary>
    private static void PutAuthorizeParams(JsonObject oauth, IReadOnlyDictionary<string, string> parameters)
    {
        var existing = oauth[AuthorizeParamsName] as JsonObject;
        if (existing is null && parameters.Count == 0)
        {
            return;
        }
        var entry = existing ?? [];
        foreach (var (name, value) in entry.ToList())
        {
            if (ParameterOf(value) is not null && !parameters.ContainsKey(name))
            {
                entry.Remove(name);
            }
        }
        foreach (var (name, value) in parameters.Where(p => ParameterOf(entry[p.Key]) != p.Value))
        {
            entry[name] = value;
        }
        if (entry.Count == 0)
        {
            oauth.Remove(AuthorizeParamsName);
        }
        else if (existing is null)
        {
            oauth[AuthorizeParamsName] = entry;
        }
    }

    private static Dictionary<string, string> AuthorizeParams(JsonElement? oauth)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Member(oauth, AuthorizeParamsName, JsonValueKind.Object) is { } members)
        {
            foreach (var member in members.EnumerateObject())
            {
                if (ParameterOf(member.Value) is { } value)
                {
                    parameters[member.Name] = value;
                }
            }
        }
        return parameters;
    }

    private static string? ParameterOf(JsonNode? value) =>
        value is JsonValue text && text.TryGetValue<JsonElement>(out var element) ? ParameterOf(element) : null;

    /// <summary>
    /// Numbers and booleans count as their text, because another program may write <c>"max_age": 0</c>. Null if the value is not a parameter.
    /// </summary>
    private static string? ParameterOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.TextOrNull() is { Length: > 0 } text ? text : null,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };

    internal static void Put(JsonObject to, string name, JsonNode? value)
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

    /// <summary>Returns the member if it has this kind. Members of another kind are ignored.</summary>
    internal static JsonElement? Member(JsonElement? from, string name, JsonValueKind kind) =>
        from is { } parent && parent.TryGetProperty(name, out var member) && member.ValueKind == kind ? member : null;

    private static string? Text(JsonElement? from, string name) =>
        Member(from, name, JsonValueKind.String) is { } value && value.TextOrNull() is { Length: > 0 } text ? text : null;

    internal static List<string> Texts(JsonElement? from, string name) => Member(from, name, JsonValueKind.Array) is { } array
        ? [.. array.EnumerateArray().Select(v => v.TextOrNull()).OfType<string>()] : [];

    private static IReadOnlyDictionary<string, string> Headers(JsonElement entry) =>
        Member(entry, "headers", JsonValueKind.Object) is not { } headers ? PlaintextSecrets.None.Headers
            : headers.EnumerateObject().Where(h => h.Value.TextOrNull() is not null)
                .GroupBy(h => h.Name, StringComparer.OrdinalIgnoreCase)
                .ToDictionary(same => same.Key, same => same.Last().Value.TextOrNull()!, StringComparer.OrdinalIgnoreCase);
}
