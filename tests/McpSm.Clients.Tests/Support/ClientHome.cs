using System.Text;
using System.Text.Json.Nodes;
using McpSm.Clients.Editing;
using McpSm.Clients.Files;
using McpSm.Clients.Undo;
using McpSm.Core.Configuration;

namespace McpSm.Clients.Tests.Support;

/// <summary>A folder with the configuration of Mcpsm and a file of a client.</summary>
internal sealed class ClientHome : IDisposable
{
    public ClientHome(string file = "mcp.json") : this(Directory.CreateTempSubdirectory("mcpsm-client-").FullName, file)
    {
    }

    private ClientHome(string folder, string file)
    {
        Folder = folder;
        Document = new(Path.Combine(Folder, file), FormatOf(file), new(["mcpServers"], ContainerShape.Map));
    }

    /// <summary>Returns the home that another process made.</summary>
    public static ClientHome In(string folder, string file) => new(folder, file);

    public string Folder { get; }

    public ClientDocument Document { get; init; }

    public string FilePath => Document.Path;

    public AppEnvironment Environment => new(name => name switch
    {
        "HOME" => Folder,
        "MCPSM_CONFIG_DIR" => Path.Combine(Folder, "config"),
        _ => null,
    });

    public IReadOnlyList<string> Records =>
        Path.Combine(Folder, "config", "clients") is var records && Directory.Exists(records) ? Directory.GetFiles(records) : [];

    public string Text
    {
        get => File.ReadAllText(FilePath);
        set => File.WriteAllBytes(FilePath, Encoding.UTF8.GetBytes(value));
    }

    public static JsonObject Entry(string name) => new() { ["command"] = "/usr/bin/mcpsm", ["args"] = new JsonArray("proxy", name) };

    public Task<ClientFileChange> AddAsync(params string[] names) => EditAsync(false, [.. names.Select(n => new ServerEdit(n, Entry(n)))]);

    public Task<ClientFileChange> RemoveAsync(params string[] names) => EditAsync(false, [.. names.Select(n => new ServerEdit(n, null))]);

    public Task<ClientFileChange> EditAsync(bool dryRun, params ServerEdit[] edits) =>
        new ClientFileEditor(Environment).EditAsync(Document, edits, dryRun, Cancellation);

    public IEnumerable<string> Names => ClientFile.Read(Document)?.GetServers(Document.Container).Select(s => s.Name) ?? [];

    private static ConfigurationFormat FormatOf(string file) => Path.GetExtension(file) switch
    {
        ".toml" => ConfigurationFormat.Toml,
        ".yaml" => ConfigurationFormat.Yaml,
        _ => ConfigurationFormat.Json,
    };

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
