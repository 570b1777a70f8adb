using McpSm.Core.Servers;

namespace McpSm.HttpProxy;

/// <summary>The path of a server: its id after one slash.</summary>
internal static class ServerPath
{
    /// <summary>
    /// Reads the target of a request as it came. Nothing is normalised: a target with dots, a second slash, an encoded slash or a query names no
    /// server.
    /// </summary>
    /// <returns>The id; null if the target is not the path of a server.</returns>
    public static string? ReadId(string target) => target.StartsWith('/') && Uri.UnescapeDataString(target[1..]) is var id && ServerName.IsId(id) ? id : null;
}
