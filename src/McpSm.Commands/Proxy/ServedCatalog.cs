using McpSm.Core.Servers;

namespace McpSm.Commands.Proxy;

/// <summary>
/// The servers of the catalog while they are served over HTTP. The file is read again at most once a second, so that new and changed servers appear
/// without a restart.
/// </summary>
internal sealed class ServedCatalog(ServerCatalog catalog, TimeProvider time)
{
    private static readonly TimeSpan ReadInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Dictionary<string, (McpServer Server, string Settings)> _servers = new(StringComparer.Ordinal);
    private long? _readAt;

    /// <summary>Returns the server with this id, or null. The object stays the same until the settings of the server change.</summary>
    /// <exception cref="Core.Errors.McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable.</exception>
    public McpServer? Find(string id)
    {
        lock (_gate)
        {
            if (_readAt is not { } readAt || time.GetElapsedTime(readAt) >= ReadInterval)
            {
                _servers = catalog.List().DistinctBy(server => server.Id).Select(Keep).ToDictionary(served => served.Server.Id, StringComparer.Ordinal);
                _readAt = time.GetTimestamp();
            }
            return _servers.TryGetValue(id, out var served) ? served.Server : null;
        }
    }

    private (McpServer Server, string Settings) Keep(McpServer server)
    {
        var settings = ServerEntry.Write(server, []).ToJsonString();
        return _servers.TryGetValue(server.Id, out var known) && known.Settings == settings ? known : (server, settings);
    }
}
