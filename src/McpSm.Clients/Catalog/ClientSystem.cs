namespace McpSm.Clients.Catalog;

/// <summary>An operating system, as far as the paths of clients differ.</summary>
internal enum ClientSystem
{
    Linux,
    MacOS,
    Windows,
}
