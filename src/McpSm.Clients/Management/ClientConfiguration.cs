using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.Clients.Catalog;
using McpSm.Clients.Editing;
using McpSm.Clients.Entries;
using McpSm.Clients.Files;
using McpSm.Clients.Undo;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

namespace McpSm.Clients.Management;

/// <summary>Lists, adds, removes and repairs the entries of Mcpsm in the files of MCP clients.</summary>
internal sealed partial class ClientConfiguration(AppEnvironment environment, ClientLocator locator)
{
    // Shorter texts are words such as "npx".
    private const int MinSecretLength = 8;

    private readonly ClientFileEditor _editor = new(environment);

    /// <summary>Returns the files of the clients on this machine. A project's file is included if it exists.</summary>
    public IReadOnlyList<ClientStatus> List()
    {
        var found = from client in ClientCatalog.Clients
                    let isInstalled = locator.IsInstalled(client)
                    from scope in Enum.GetValues<ClientScope>()
                    let location = locator.Find(client, scope)
                    where location is not null && (scope == ClientScope.User ? isInstalled || File.Exists(location.Path) : File.Exists(location.Path))
                    select (Location: location, IsInstalled: isInstalled);
        // In the home folder, some files of projects are those of the user.
        return [.. found.DistinctBy(file => (file.Location.Client.Id, file.Location.Path)).Select(file => Read(file.Location, file.IsInstalled))];
    }

    /// <summary>Returns a client's file with its servers. An error is part of the result.</summary>
    public ClientStatus Read(ClientLocation location) => Read(location, locator.IsInstalled(location.Client));

    /// <summary>Adds an entry for a server, or updates the one that it has.</summary>
    /// <exception cref="McpAuthException">
    /// InvalidValue: the client has no such form, the name is not usable, or an entry of that name is of something else. ConfigurationCorrupt,
    /// ConfigurationUnavailable: the file stays as it is.
    /// </exception>
    public async Task<ClientChange> AddAsync(ClientLocation location, AddRequest request, RelayProgram program, CancellationToken cancellationToken)
    {
        if (request.Name is { } requested && !EntryName().IsMatch(requested))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"'{UntrustedText.Sanitize(requested)}' cannot be the name of an entry.",
                "Use up to 64 letters, digits, dashes and underscores: every client accepts these.");
        }
        if (request.AsHelper && location.Client.HelperForm is null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"{location.Client.Title} cannot ask a program for headers.",
                "Add the server as a program that the client starts (stdio).");
        }
        var servers = ReadServers(location);
        var (name, existing) = FindEntry(servers, request);
        var value = CreateValue(location, request, program, name, existing);
        var change = await _editor.EditAsync(location.Document, [new ServerEdit(name, value)], request.DryRun, cancellationToken).ConfigureAwait(false);
        return new ClientChange(location, name, request.Server.Id,
            !change.IsChange ? ClientAction.Unchanged : existing is null ? ClientAction.Added : ClientAction.Updated,
            FileDiff.Create(change, FindSecrets(servers)));
    }

    /// <summary>Removes the entries of a server that start Mcpsm or ask it for headers.</summary>
    /// <param name="location">The file.</param>
    /// <param name="serverId">The id of the server.</param>
    /// <param name="name">The name of the one entry to remove; null for all of the server.</param>
    /// <param name="dryRun">Whether to write nothing.</param>
    /// <param name="cancellationToken">Cancels the wait for the lock.</param>
    /// <returns>The changes; empty if the file has no such entry.</returns>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable: the file stays as it is.</exception>
    public async Task<IReadOnlyList<ClientChange>> RemoveAsync(
        ClientLocation location, string serverId, string? name, bool dryRun, CancellationToken cancellationToken)
    {
        var servers = ReadServers(location);
        var changes = new List<ClientChange>();
        foreach (var entry in servers.Select(EntryReader.Read).Where(e => IsOf(e, serverId) && (name is null || e.Name == name)).ToList())
        {
            var change = await _editor.EditAsync(location.Document, [new ServerEdit(entry.Name, null)], dryRun, cancellationToken).ConfigureAwait(false);
            changes.Add(new ClientChange(location, entry.Name, serverId, change.IsChange ? ClientAction.Removed : ClientAction.Unchanged,
                FileDiff.Create(change, FindSecrets(servers))));
        }
        return changes;
    }

    /// <summary>Makes every entry that starts Mcpsm start this executable. Other members of the entries stay.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable: the file stays as it is.</exception>
    public async Task<IReadOnlyList<ClientChange>> SyncAsync(ClientLocation location, RelayProgram program, bool dryRun, CancellationToken cancellationToken)
    {
        var servers = ReadServers(location);
        var changes = new List<ClientChange>();
        foreach (var server in servers)
        {
            var entry = EntryReader.Read(server);
            // Another program that starts Mcpsm, such as wsl, is the user's choice.
            if (entry.Kind is not (EntryKind.Relay or EntryKind.Helper) || server.Value is not JsonObject existing
                || (entry.Kind == EntryKind.Relay && !EntryReader.IsMcpsm(entry.Command!)))
            {
                continue;
            }
            var value = entry.Kind == EntryKind.Relay ? Retarget(location, entry, existing, program) : RetargetHelper(location, entry, existing, program);
            var change = await _editor.EditAsync(location.Document, [new ServerEdit(server.Name, value)], dryRun, cancellationToken).ConfigureAwait(false);
            changes.Add(new ClientChange(location, server.Name, entry.Server!, change.IsChange ? ClientAction.Updated : ClientAction.Unchanged,
                FileDiff.Create(change, FindSecrets(servers))));
        }
        return changes;
    }

    /// <summary>Returns the texts in a file that output must not show.</summary>
    public static IReadOnlyCollection<string> FindSecrets(IEnumerable<ConfiguredServer> servers)
    {
        var secrets = new HashSet<string>(StringComparer.Ordinal);
        foreach (var server in servers)
        {
            var entry = EntryReader.Read(server);
            secrets.UnionWith(entry.Headers.Where(header => HeaderSecret.IsPlaintext(header.Key, header.Value)).Select(header => header.Value));
            if (entry.Kind is not (EntryKind.Relay or EntryKind.Helper))
            {
                secrets.UnionWith(entry.Environment.Values);
                // Any argument or member of another program's entry may be a secret.
                secrets.UnionWith(FindTexts(server.Value).Where(text => text.Length >= MinSecretLength));
            }
            if (HeaderSecret.IsInUrl(entry.Url))
            {
                secrets.Add(entry.Url!);
            }
        }
        // In the file, a text may be escaped.
        secrets.UnionWith(secrets.Select(secret => JsonEncodedText.Encode(secret).Value).ToList());
        secrets.Remove("");
        return secrets;
    }

    private static IEnumerable<string> FindTexts(JsonNode? value) => value switch
    {
        JsonObject map => map.SelectMany(member => FindTexts(member.Value)),
        JsonArray list => list.SelectMany(FindTexts),
        JsonValue text when text.TryGetValue<string>(out var found) => [found],
        _ => [],
    };

    private static IReadOnlyList<ConfiguredServer> ReadServers(ClientLocation location) =>
        ClientFileError.Explain(location.Path, () => ClientFile.Read(location.Document)?.GetServers(location.Client.Container) ?? []);

    private static ClientStatus Read(ClientLocation location, bool isInstalled)
    {
        try
        {
            return new ClientStatus
            {
                Location = location,
                IsInstalled = isInstalled,
                Exists = File.Exists(location.Path),
                Servers = [.. ReadServers(location).Select(EntryReader.Read)],
            };
        }
        catch (McpAuthException e)
        {
            return new ClientStatus { Location = location, IsInstalled = isInstalled, Exists = true, Error = e };
        }
    }

    /// <summary>Returns the name for the entry, and the entry that it replaces.</summary>
    private static (string Name, ConfiguredServer? Existing) FindEntry(IReadOnlyList<ConfiguredServer> servers, AddRequest request)
    {
        // Someone may have renamed the entry by hand.
        var own = servers.FirstOrDefault(server => IsOf(EntryReader.Read(server), request.Server.Id) && (request.Name is null || server.Name == request.Name));
        var name = request.Name ?? own?.Name ?? request.Server.Id;
        var existing = own ?? servers.FirstOrDefault(server => server.Name == name);
        if (existing is null || own is not null || request.Force)
        {
            return (name, existing);
        }
        throw new McpAuthException(ErrorReason.InvalidValue, $"The client already has a server '{UntrustedText.Sanitize(name)}' that does not use Mcpsm for "
            + $"'{request.Server.Name}' (line {existing.Line}).", "Choose another name for the entry, or force the replacement.");
    }

    private static JsonObject CreateValue(ClientLocation location, AddRequest request, RelayProgram program, string name, ConfiguredServer? existing)
    {
        var isProject = location.Scope == ClientScope.Project;
        if (request.AsHelper)
        {
            return EntryForm.Create(location.Client, new HelperEntry(request.Server.Url, program.CreateHelper(request.Server.Id, location.Scope)), isProject);
        }
        var startsProgram = existing is not null && EntryReader.Read(existing).Kind == EntryKind.Relay;
        return EntryForm.Create(location.Client, name, program.CreateRelay(request.Server.Id, location.Scope), isProject,
            startsProgram ? existing!.Value as JsonObject : null);
    }

    // The arguments may have options that the user added.
    private static JsonObject Retarget(ClientLocation location, ClientEntry entry, JsonObject existing, RelayProgram program)
    {
        var target = program.CreateRelay(entry.Server!, location.Scope);
        var options = entry.Arguments.SkipWhile(argument => argument != "proxy").Skip(1);
        var arguments = target.Arguments.TakeWhile(argument => argument != "proxy").Append("proxy").Concat(options);
        return EntryForm.Create(location.Client, entry.Name, new ProgramEntry(target.Command, [.. arguments], entry.Environment),
            location.Scope == ClientScope.Project, existing);
    }

    private static JsonObject RetargetHelper(ClientLocation location, ClientEntry entry, JsonObject existing, RelayProgram program)
    {
        var value = (JsonObject)existing.DeepClone();
        foreach (var (key, part) in EntryForm.Create(location.Client, new HelperEntry(entry.Url!, program.CreateHelper(entry.Server!, location.Scope)),
            location.Scope == ClientScope.Project))
        {
            value[key] = part?.DeepClone();
        }
        return value;
    }

    private static bool IsOf(ClientEntry entry, string serverId) =>
        entry.Kind is EntryKind.Relay or EntryKind.Helper && string.Equals(entry.Server, serverId, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("^[A-Za-z0-9_-]{1,64}$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex EntryName();
}
