using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using McpSm.Clients.Editing;

namespace McpSm.Clients.Catalog;

/// <summary>A row of <c>clients.json</c>: an MCP client, its files, and how a server is written in them.</summary>
internal sealed record ClientDefinition
{
    /// <summary>The id, as the npm tool add-mcp names the client if it knows it.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    [JsonPropertyName("title")]
    public required string Title { get; init; }

    [JsonPropertyName("format")]
    public required ConfigurationFormat Format { get; init; }

    /// <summary>The keys from the root of the file to the servers.</summary>
    [JsonPropertyName("servers")]
    public required IReadOnlyList<string> Servers { get; init; }

    [JsonPropertyName("shape")]
    public ContainerShape Shape { get; init; }

    /// <summary>The form of a server that the client starts as a program.</summary>
    [JsonPropertyName("form")]
    public required string Form { get; init; }

    /// <summary>The form of a remote server whose headers a program prints; null if the client does not know that.</summary>
    [JsonPropertyName("helperForm")]
    public string? HelperForm { get; init; }

    /// <summary>Members that an entry has beside those of its form.</summary>
    [JsonPropertyName("extra")]
    public JsonObject? Extra { get; init; }

    /// <summary>Members that an entry in the user's file has beside those of its form.</summary>
    [JsonPropertyName("userExtra")]
    public JsonObject? UserExtra { get; init; }

    /// <summary>Whether the client ignores remote servers in its file, or their headers.</summary>
    [JsonPropertyName("readsOnlyPrograms")]
    public bool ReadsOnlyPrograms { get; init; }

    /// <summary>The user's file: the first path that exists, else the first path.</summary>
    [JsonPropertyName("user")]
    public required SystemPaths User { get; init; }

    /// <summary>A project's file, relative to its folder: the first path that exists, else the first path. Empty if the client has none.</summary>
    [JsonPropertyName("project")]
    public IReadOnlyList<string> Project { get; init => field = value ?? []; } = [];

    /// <summary>The client is installed if one of these exists; null for the folders of the user's files.</summary>
    [JsonPropertyName("signs")]
    public SystemPaths? Signs { get; init; }

    /// <summary>What a user of the client should know.</summary>
    [JsonPropertyName("note")]
    public string? Note { get; init; }

    /// <summary>The date on which the client's makers ended it.</summary>
    [JsonPropertyName("ended")]
    public DateOnly? Ended { get; init; }

    [JsonIgnore]
    public ServerContainer Container => new(Servers, Shape);
}
