namespace McpSm.Clients.Editing;

/// <summary>The language of a configuration file.</summary>
internal enum ConfigurationFormat
{
    /// <summary>JSON, always with comments and trailing commas (JSONC).</summary>
    Json,
    Toml,
    Yaml,
}
