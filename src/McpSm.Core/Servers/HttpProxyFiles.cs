using System.Buffers.Text;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>
/// The port and the bearer token with which a server is served over HTTP on this machine: <c>http/&lt;name&gt;.json</c> and
/// <c>http/&lt;name&gt;.bearer</c>. Both stay, so that the configuration of a client stays valid. The token opens only the proxy on this machine; it is
/// not a token of the server.
/// </summary>
/// <param name="environment">The configuration folder.</param>
/// <param name="name">The id of a server, or <see cref="AllServers"/>.</param>
internal sealed class HttpProxyFiles(AppEnvironment environment, string name)
{
    /// <summary>The name for a proxy that serves all servers. Not an id of a server, because of its first character.</summary>
    public const string AllServers = "@all";

    private const string FolderName = "http";
    private const string PortMember = "port";
    private const int BearerBytes = 32;
    private const int MinBearerLength = 32;
    private const int MaxBearerLength = 1024;

    private const UnixFileMode NonOwnerModes = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>The file that contains nothing but the token and a line end.</summary>
    public string BearerPath { get; } = PathOf(environment, name, ".bearer");

    private string PortPath { get; } = PathOf(environment, name, ".json");

    /// <summary>Acquires the lock that a process holds while it serves; null if another process holds it.</summary>
    public FileLock? TryLock() => environment.TryLock($"{FolderName}-{name}");

    /// <summary>Returns the port; null if none was chosen yet.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable.</exception>
    public int? ReadPort()
    {
        using var json = JsonFile.Open(PortPath);
        return json is null || !json.RootElement.TryGetProperty(PortMember, out var port) ? null
            : port.ValueKind == JsonValueKind.Number && port.TryGetInt32(out var number) && number is > 0 and <= ushort.MaxValue ? number
            : throw JsonFile.Corrupt(PortPath, $"'{PortMember}' is not a port");
    }

    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable.</exception>
    public void WritePort(int port)
    {
        var root = JsonFile.ReadToChange(PortPath) ?? [];
        root[PortMember] = port;
        JsonFile.Write(PortPath, root);
    }

    /// <summary>Returns the token, and creates it if it does not exist.</summary>
    /// <param name="warn">Receives a warning if other users could read the file.</param>
    /// <exception cref="McpAuthException">ConfigurationCorrupt; ConfigurationUnavailable, also if the file belongs to another user.</exception>
    public string ReadOrCreateBearer(Action<string> warn)
    {
        ConfigurationFolder.Require(environment, warn);
        if (AtomicFile.Read(BearerPath) is not { } content)
        {
            var created = CreateBearer();
            AtomicFile.Replace(BearerPath, Encoding.ASCII.GetBytes(created + "\n"));
            return created;
        }
        ConfigurationFolder.RequireKey(environment, BearerPath);
        if (!OperatingSystem.IsWindows())
        {
            Restrict(warn);
        }
        var bearer = SecretText.WithoutLineEnd(Encoding.Latin1.GetString(content));
        return bearer.Length is >= MinBearerLength and <= MaxBearerLength && bearer.All(IsBearerCharacter) ? bearer
            : throw new McpAuthException(ErrorReason.ConfigurationCorrupt, $"'{BearerPath}' does not contain a bearer token.",
                "Delete the file to get a new token. It was not changed.");
    }

    /// <summary>Removes both files.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public void Remove()
    {
        foreach (var file in (string[])[BearerPath, PortPath])
        {
            if (File.Exists(file))
            {
                AtomicFile.Remove(file);
            }
        }
    }

    private static string PathOf(AppEnvironment environment, string name, string extension) => environment.PathOf(Path.Combine(FolderName, name + extension));

    private static string CreateBearer() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(BearerBytes));

    // The characters of a bearer token (RFC 6750 section 2.1, b64token).
    private static bool IsBearerCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' or '+' or '/' or '=';

    /// <summary>Removes access for other users, for example after the file was restored from a backup.</summary>
    [UnsupportedOSPlatform("windows")]
    private void Restrict(Action<string> warn)
    {
        if ((File.GetUnixFileMode(BearerPath) & NonOwnerModes) == UnixFileMode.None)
        {
            return;
        }
        try
        {
            File.SetUnixFileMode(BearerPath, File.GetUnixFileMode(BearerPath) & ~NonOwnerModes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A read-only file system, or the file of another user in a folder that the user named. The warning is the same.
        }
        warn($"Other users of this machine could read '{BearerPath}'. If the token may have leaked, delete the file to get a new token.");
    }
}
