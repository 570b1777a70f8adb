using System.Text.Json;
using System.Text.Json.Nodes;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>
/// The servers of the user, in <c>config.json</c>. The file is shared with the npm tool <c>mcp-server-manager</c>: unknown members are kept, and
/// secrets are never written to it.
/// </summary>
public sealed class ServerCatalog(AppEnvironment environment)
{
    private readonly string _path = environment.PathOf("config.json");

    /// <summary>Returns all servers in the order of the file.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<McpServer> List()
    {
        using var document = JsonFile.Open(_path);
        return document is null ? [] : Read(document.RootElement);
    }

    /// <summary>Returns the server with this id, name or URL.</summary>
    /// <exception cref="McpAuthException">ServerNotFound, with the names of the existing servers. InvalidValue: several servers match.</exception>
    public McpServer Get(string text) => ServerLookup.Get(List(), text);

    public McpServer? Find(string text) => ServerLookup.Find(List(), text);

    /// <summary>Returns the current state of a server, for a caller that is about to store something for it after a while.</summary>
    /// <exception cref="McpAuthException">ServerNotFound: the server was removed in the meantime.</exception>
    public McpServer Reload(McpServer server)
    {
        var all = List();
        return all.FirstOrDefault(s => s.Id == server.Id) ?? throw ServerLookup.Failure(all, server.Id);
    }

    /// <summary>Adds a server. The id is derived from the name, with a suffix such as <c>-1</c> if it is taken.</summary>
    /// <param name="server">The server. Its <see cref="McpServer.Id"/> is ignored.</param>
    /// <param name="cancellationToken">Cancels the wait for the lock.</param>
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

    /// <summary>Changes a server. The id stays the same.</summary>
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

    /// <summary>Removes a plaintext secret from the file and keeps every other byte of the file.</summary>
    /// <param name="id">The id of the server.</param>
    /// <param name="member">The path of the secret in the server's entry.</param>
    /// <param name="value">The expected value. If the file now has another value, the file stays unchanged.</param>
    /// <param name="cancellationToken">Cancels the wait for the lock.</param>
    /// <returns>Whether the secret is no longer in the file.</returns>
    public async Task<bool> RemovePlaintextAsync(string id, string[] member, string value, CancellationToken cancellationToken)
    {
        using var fileLock = await environment.LockAsync("config", cancellationToken).ConfigureAwait(false);
        var index = List().ToList().FindIndex(s => s.Id == id);
        return index < 0 || JsonFile.RemoveMember(_path, ["remoteServers", index, .. member], value);
    }

    public Task RemoveAsync(string id, CancellationToken cancellationToken) =>
        ChangeAsync((root, all) =>
        {
            // A server that gets the same id later must not accept the callers of this one.
            new HttpProxyFiles(environment, all[IndexOf(all, id)].Id).Remove();
            RelayFiles.Remove(environment, all[IndexOf(all, id)].Id);
            Entries(root).RemoveAt(IndexOf(all, id));
            return true;
        }, cancellationToken);

    private async Task<T> ChangeAsync<T>(Func<JsonObject, List<McpServer>, T> change, CancellationToken cancellationToken)
    {
        using var fileLock = await environment.LockAsync("config", cancellationToken).ConfigureAwait(false);
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
            throw JsonFile.Corrupt(_path, "'remoteServers' is not an array");
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
            throw JsonFile.Corrupt(_path, "'remoteServers' contains a string that is not valid Unicode");
        }
    }

    /// <summary>Returns the entries to change. <see cref="Read"/> has already checked them.</summary>
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
                ? $"A server named '{taken.Name}' already exists, at {UntrustedText.Sanitize(taken.Url)}."
                : $"'{name}' is already the id of the server '{taken.Name}', at {UntrustedText.Sanitize(taken.Url)}.",
                "Choose another name.")
            { Server = name };
        }
    }

    /// <summary>Whether a lookup of this name finds the server, by its name or its id.</summary>
    internal static bool HasName(McpServer server, string name) =>
        ServerName.AreSame(server.Name, name) || server.Id.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns an unused id. Ids differ from the ids of the npm tool's local servers, and from the names of other servers.</summary>
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
