using System.Text.Json;
using System.Text.Json.Nodes;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>
/// The servers the user has, in <c>config.json</c>, which the npm tool <c>mcp-server-manager</c> shares: what we do
/// not know in it is kept, and no secret is ever written to it.
/// </summary>
public sealed class ServerCatalog(AppEnvironment environment)
{
    private readonly string _path = environment.PathOf("config.json");

    /// <summary>All servers, in the file's order.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<McpServer> List()
    {
        using var document = JsonFile.Open(_path);
        return document is null ? [] : Read(document.RootElement);
    }

    /// <summary>The server of that id, name or URL.</summary>
    /// <exception cref="McpAuthException">ServerNotFound, which names the servers there are; InvalidValue: several are meant.</exception>
    public McpServer Get(string text) => ServerLookup.Get(List(), text);

    public McpServer? Find(string text) => ServerLookup.Find(List(), text);

    /// <summary>The server as it is by now, for whoever has had it in hand for a while and is about to keep something for it.</summary>
    /// <exception cref="McpAuthException">ServerNotFound: somebody has removed it since.</exception>
    public McpServer Reload(McpServer server)
    {
        var all = List();
        return all.FirstOrDefault(s => s.Id == server.Id) ?? throw ServerLookup.Failure(all, server.Id);
    }

    /// <summary>Adds a server; its id is made of its name, with <c>-1</c> and so on where the id is taken.</summary>
    /// <param name="server">Its <see cref="McpServer.Id"/> is not looked at.</param>
    /// <exception cref="McpAuthException">ServerAlreadyExists, InvalidServerName, InvalidServerUrl.</exception>
    public async Task<McpServer> AddAsync(McpServer server, CancellationToken cancellationToken)
    {
        var slug = ServerName.ToSlug(server.Name);
        _ = server.Uri;
        return await ChangeAsync((root, all) =>
        {
            RequireNewName(all, server.Name);
            var added = new McpServer(server) { Id = FreeId(root, all, slug) };
            Entries(root).Add((JsonNode)ServerEntry.Write(added, []));
            return added;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes a server; its id stays.</summary>
    /// <exception cref="McpAuthException">ServerNotFound, ServerAlreadyExists, InvalidServerName, InvalidServerUrl.</exception>
    public Task<McpServer> UpdateAsync(string id, Func<McpServer, McpServer> change, CancellationToken cancellationToken) =>
        ChangeAsync((root, all) =>
        {
            var index = IndexOf(all, id);
            var changed = new McpServer(change(all[index])) { Id = all[index].Id };
            if (changed.Name != all[index].Name)
            {
                ServerName.ToSlug(changed.Name);
                RequireNewName(all.Where(s => s.Id != id), changed.Name);
            }
            _ = changed.Uri;
            ServerEntry.Write(changed, Entries(root)[index]!.AsObject());
            return changed;
        }, cancellationToken);

    /// <summary>Takes a plaintext secret out of the file and leaves every other byte of it.</summary>
    /// <param name="member">Where it stands in the server's entry.</param>
    /// <param name="value">What it is: a file in which another stands there by now is left as it is.</param>
    /// <returns>Whether it is gone.</returns>
    public async Task<bool> RemovePlaintextAsync(string id, string[] member, string value, CancellationToken cancellationToken)
    {
        using var held = await environment.LockAsync("config", cancellationToken).ConfigureAwait(false);
        var index = List().ToList().FindIndex(s => s.Id == id);
        return index < 0 || JsonFile.RemoveMember(_path, ["remoteServers", index, .. member], value);
    }

    public Task RemoveAsync(string id, CancellationToken cancellationToken) =>
        ChangeAsync((root, all) =>
        {
            Entries(root).RemoveAt(IndexOf(all, id));
            return true;
        }, cancellationToken);

    private async Task<T> ChangeAsync<T>(Func<JsonObject, List<McpServer>, T> change, CancellationToken cancellationToken)
    {
        using var held = await environment.LockAsync("config", cancellationToken).ConfigureAwait(false);
        using var document = JsonFile.OpenToChange(_path);
        var root = document is not null ? JsonObject.Create(document.RootElement)!
            : new JsonObject { ["servers"] = new JsonArray(), ["remoteServers"] = new JsonArray(), ["port"] = 8850 };
        var result = change(root, document is null ? [] : Read(document.RootElement));
        JsonFile.Write(_path, root);
        return result;
    }

    private List<McpServer> Read(JsonElement root)
    {
        if (!root.TryGetProperty("remoteServers", out var entries) || entries.ValueKind == JsonValueKind.Null)
        {
            return [];
        }
        if (entries.ValueKind != JsonValueKind.Array)
        {
            throw JsonFile.Corrupt(_path, "its 'remoteServers' is not an array");
        }
        try
        {
            var servers = new List<McpServer>(entries.GetArrayLength());
            foreach (var entry in entries.EnumerateArray())
            {
                servers.Add(ServerEntry.Read(entry, servers.Count, _path));
            }
            return servers;
        }
        catch (InvalidOperationException)
        {
            throw JsonFile.Corrupt(_path, "a text in its 'remoteServers' is no Unicode");
        }
    }

    /// <summary>The entries to change, which <see cref="Read"/> has seen.</summary>
    private static JsonArray Entries(JsonObject root)
    {
        if (root["remoteServers"] is not JsonArray entries)
        {
            root["remoteServers"] = entries = [];
        }
        return entries;
    }

    private static int IndexOf(List<McpServer> all, string id)
    {
        var index = all.FindIndex(s => s.Id == id);
        return index >= 0 ? index : throw ServerLookup.Failure(all, id);
    }

    private static void RequireNewName(IEnumerable<McpServer> others, string name)
    {
        if (others.FirstOrDefault(s => HasName(s, name)) is { } taken)
        {
            throw new McpAuthException(ErrorReason.ServerAlreadyExists, ServerName.AreSame(taken.Name, name)
                ? $"There is a server '{taken.Name}' already, at {UntrustedText.Sanitize(taken.Url)}."
                : $"'{name}' is the id of the server '{taken.Name}', at {UntrustedText.Sanitize(taken.Url)}.",
                "Choose another name.")
            { Server = name };
        }
    }

    /// <summary>Whether a look-up of that name would find the server: a name that is the id of a server means that one.</summary>
    internal static bool HasName(McpServer server, string name) =>
        ServerName.AreSame(server.Name, name) || server.Id.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Ids are unique among the npm tool's local servers too, and are no other server's name.</summary>
    private static string FreeId(JsonObject root, IReadOnlyList<McpServer> all, string slug)
    {
        var taken = all.SelectMany(s => new[] { s.Id, s.Name }).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (root["servers"] is JsonArray local)
        {
            taken.UnionWith(local.OfType<JsonObject>().Select(s => s["id"]).OfType<JsonValue>()
                .Select(v => v.TryGetValue<string>(out var id) ? id : null).OfType<string>());
        }
        var free = slug;
        for (var i = 1; taken.Contains(free); i++)
        {
            free = ServerName.Numbered(slug, i);
        }
        return free;
    }
}
