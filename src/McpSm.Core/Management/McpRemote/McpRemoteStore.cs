using System.Buffers;
using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;

namespace McpSm.Core.Management.McpRemote;

/// <summary>
/// The files of <c>mcp-remote</c>: <c>&lt;hash&gt;_tokens.json</c> and <c>&lt;hash&gt;_client_info.json</c> in a folder for each version of its
/// format. Another program may have changed them, so they are read as hostile.
/// </summary>
internal sealed class McpRemoteStore(AppEnvironment environment)
{
    private const int MaxBytes = 256 * 1024;
    private const int MaxFiles = 2000;
    private const int HashLength = 32;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");
    private const string TokensSuffix = "_tokens.json";

    // Date.now() counts in milliseconds, up to the year 9999.
    private const double MaxTime = 253402300799000;

    /// <summary>Returns the token sets of all versions, the newest first, and the files that cannot be used with the reason.</summary>
    /// <param name="folders">More folders, which clients name.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    public (IReadOnlyList<McpRemoteTokens> Tokens, IReadOnlyList<(string File, string Reason)> Unusable) Read(IEnumerable<string> folders,
        CancellationToken cancellationToken)
    {
        var (tokens, unusable) = (new List<McpRemoteTokens>(), new List<(string, string)>());
        foreach (var file in folders.Append(DefaultFolder).Distinct(StringComparer.Ordinal).SelectMany(Find).Take(MaxFiles))
        {
            try
            {
                tokens.Add(ReadTokens(file, cancellationToken));
            }
            catch (McpAuthException e)
            {
                unusable.Add((file, e.Message));
            }
        }
        return ([.. tokens.OrderByDescending(found => found.WrittenAt)], unusable);
    }

    /// <summary>Removes the files of a token set: tokens, registration, and what an unfinished sign-in left. Other files stay.</summary>
    /// <returns>Whether the tokens are gone; false if the file has other tokens now.</returns>
    public static bool Remove(McpRemoteTokens tokens, CancellationToken cancellationToken)
    {
        if (!File.Exists(tokens.File))
        {
            return true;
        }
        try
        {
            if (ReadTokens(tokens.File, cancellationToken) is var now && (now.AccessToken != tokens.AccessToken || now.RefreshToken != tokens.RefreshToken))
            {
                return false;
            }
            var folder = Path.GetDirectoryName(tokens.File)!;
            string[] names = [TokensSuffix, "_client_info.json", "_code_verifier.txt", "_lock.json"];
            foreach (var name in names)
            {
                File.Delete(Path.Combine(folder, tokens.Hash + name));
            }
            foreach (var verifier in Directory.EnumerateFiles(folder, tokens.Hash + "_code_verifier_*"))
            {
                File.Delete(verifier);
            }
            return true;
        }
        catch (Exception e) when (e is McpAuthException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private string DefaultFolder => environment.Variable("MCP_REMOTE_CONFIG_DIR") ?? Path.Combine(environment.HomeFolder, ".mcp-auth");

    private static IEnumerable<string> Find(string folder)
    {
        try
        {
            return IsUsable(folder) ? [.. Directory.EnumerateDirectories(folder, "mcp-remote-*").Where(IsUsable).Order(StringComparer.Ordinal)
                .SelectMany(version => Directory.EnumerateFiles(version, "*" + TokensSuffix).Order(StringComparer.Ordinal).Take(MaxFiles))
                .Where(IsTokenFile)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A folder that we may not read has nothing that we may move.
            return [];
        }
    }

    private static bool IsTokenFile(string file) => Path.GetFileName(file) is var name && name.Length == HashLength + TokensSuffix.Length
        && name.AsSpan(0, HashLength).IndexOfAnyExcept(HexDigits) < 0;

    /// <summary>Whether the path is a folder of this user, and not a link that another user made.</summary>
    private static bool IsUsable(string folder) => Directory.Exists(folder) && (OperatingSystem.IsWindows()
        || (UnixFile.StatusOfLink(folder) is { } link && FileOwner.MayFollow(link) && UnixFile.Status(folder) is { } status && !FileOwner.IsForeign(status)));

    /// <exception cref="McpAuthException">ConfigurationCorrupt, ConfigurationUnavailable. The message is a clause.</exception>
    private static McpRemoteTokens ReadTokens(string file, CancellationToken cancellationToken)
    {
        using var tokens = Open(file, cancellationToken) ?? throw Unusable("it does not exist");
        var root = tokens.RootElement;
        var token = Text(root, "access_token") ?? throw Unusable("it has no access token");
        if (!BearerToken.IsValid(token))
        {
            throw Unusable("its token cannot be sent: it has spaces or characters outside ASCII");
        }
        if (Text(root, "token_type") is { } type && !type.Equals("bearer", StringComparison.OrdinalIgnoreCase))
        {
            throw Unusable("its token is not a bearer token");
        }
        using var client = Open(file[..^TokensSuffix.Length] + "_client_info.json", cancellationToken);
        var writtenAt = new DateTimeOffset(File.GetLastWriteTimeUtc(file));
        return new McpRemoteTokens(Path.GetFileName(file)[..HashLength], file)
        {
            WrittenAt = writtenAt,
            AccessToken = token,
            RefreshToken = Text(root, "refresh_token"),
            ExpiresAt = Number(root, "expires_at") is { } at ? DateTimeOffset.FromUnixTimeMilliseconds((long)at)
                // Versions before 0.1.30 wrote the lifetime only, in seconds.
                : Number(root, "expires_in") is { } lifetime and < int.MaxValue ? writtenAt.AddSeconds(lifetime) : null,
            Scopes = [.. (Text(root, "scope") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(Scopes.IsValid)],
            ClientId = client is null ? null : Text(client.RootElement, "client_id"),
            ClientSecret = client is null ? null : Text(client.RootElement, "client_secret"),
            AuthMethod = client is null ? null : Text(client.RootElement, "token_endpoint_auth_method"),
            Issuer = Text(root, "issuer") ?? (client is null ? null : Text(client.RootElement, "issuer")),
        };
    }

    private static JsonDocument? Open(string file, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsWindows())
        {
            if (UnixFile.StatusOfLink(file) is not { } status)
            {
                return null;
            }
            if (status.Kind != FileKind.Regular || FileOwner.IsForeign(status))
            {
                throw Unusable(status.Kind == FileKind.Regular ? "it belongs to another user" : $"it is {status.Word}");
            }
        }
        else if (new FileInfo(file) is var info && (!info.Exists || info.LinkTarget is not null))
        {
            return info.Exists ? throw Unusable("it is a link") : null;
        }
        try
        {
            var document = JsonDocument.Parse(JsonFile.WithoutMark(UserFile.Read(file, MaxBytes, Unusable, cancellationToken)));
            return document.RootElement.ValueKind == JsonValueKind.Object ? document : throw Unusable("it is not a JSON object");
        }
        catch (JsonException)
        {
            throw Unusable("it is not valid JSON");
        }
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.TextOrNull() is { Length: > 0 } text ? text : null;

    private static double? Number(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            && number is > 0 and < MaxTime ? number : null;

    private static McpAuthException Unusable(string reason) => new(ErrorReason.ConfigurationCorrupt, reason);
}
