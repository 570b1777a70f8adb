using System.Text.Json.Serialization;

namespace McpSm.Clients.Catalog;

/// <summary>Path templates, either of all systems or of each.</summary>
internal sealed record SystemPaths
{
    [JsonPropertyName("all")]
    public IReadOnlyList<string>? All { get; init; }

    [JsonPropertyName("linux")]
    public IReadOnlyList<string>? Linux { get; init; }

    [JsonPropertyName("macos")]
    public IReadOnlyList<string>? MacOS { get; init; }

    [JsonPropertyName("windows")]
    public IReadOnlyList<string>? Windows { get; init; }

    /// <summary>Returns the paths on a system, in order of preference.</summary>
    public IReadOnlyList<string> Expand(ClientEnvironment environment) =>
        [.. (All ?? Of(environment.System) ?? []).Select(template => PathTemplate.Expand(template, environment))];

    private IReadOnlyList<string>? Of(ClientSystem system) => system switch
    {
        ClientSystem.Linux => Linux,
        ClientSystem.MacOS => MacOS,
        _ => Windows,
    };
}
