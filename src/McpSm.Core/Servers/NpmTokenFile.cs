using System.Text.Json.Nodes;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>A token set that the npm tool stores in plaintext, by server id and without issuer or resource.</summary>
internal sealed record NpmTokenFile(string File, string ServerId, string AccessToken, string? RefreshToken,
    IReadOnlyList<string> Scopes, string? ClientId, string? ClientSecret, DateTimeOffset? ExpiresAt)
{
    /// <summary>Reads all token sets from all files.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt: a file is not JSON, or an entry has no token.</exception>
    public static IReadOnlyList<NpmTokenFile> Read(AppEnvironment environment) => [.. environment.PlaintextTokenFiles.SelectMany(ReadFile)];

    /// <summary>Returns the ids with a token set and the name of the file, for the status. Skips damaged files; the import reports them.</summary>
    public static IReadOnlyDictionary<string, string> Ids(AppEnvironment environment)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in environment.PlaintextTokenFiles.Where(System.IO.File.Exists))
        {
            try
            {
                foreach (var (id, _) in JsonFile.Read(file) ?? [])
                {
                    ids.TryAdd(id, Path.GetFileName(file));
                }
            }
            catch (McpAuthException)
            {
                continue;
            }
        }
        return ids;
    }

    private static IEnumerable<NpmTokenFile> ReadFile(string file)
    {
        foreach (var (id, node) in JsonFile.Read(file) ?? [])
        {
            if (node is not JsonObject entry || Text(file, entry, "accessToken") is not { } token)
            {
                throw JsonFile.Corrupt(file, $"its entry '{UntrustedText.Sanitize(id)}' has no 'accessToken'");
            }
            yield return new NpmTokenFile(file, id, token, Text(file, entry, "refreshToken"),
                entry["scopes"] is JsonArray scopes ? [.. scopes.Select(s => Text(file, s)).OfType<string>()] : [],
                Text(file, entry, "clientId"), Text(file, entry, "clientSecret"),
                // Date.now() counts in milliseconds.
                entry["expiresAt"] is JsonValue at && at.TryGetValue<double>(out var end) && end is >= 0 and < 253402300799000
                    ? DateTimeOffset.FromUnixTimeMilliseconds((long)end) : null);
        }
    }

    /// <summary>Removes the entry from its file and keeps every other byte of the file.</summary>
    /// <returns>True if the entry no longer exists; false if it now has another token.</returns>
    public async Task<bool> RemoveAsync(AppEnvironment environment, CancellationToken cancellationToken)
    {
        using var fileLock = await environment.LockAsync("plaintext-tokens", cancellationToken).ConfigureAwait(false);
        var current = ReadFile(File).FirstOrDefault(t => t.ServerId == ServerId);
        return current is null || (current.AccessToken == AccessToken && current.RefreshToken == RefreshToken && JsonFile.RemoveMember(File, [ServerId], null));
    }

    private static string? Text(string file, JsonObject from, string name) => Text(file, from[name]) is { Length: > 0 } text ? text : null;

    private static string? Text(string file, JsonNode? node)
    {
        try
        {
            return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
        }
        catch (InvalidOperationException)
        {
            throw JsonFile.Corrupt(file, "it contains a string that is not valid Unicode");
        }
    }

    /// <summary>Omits the tokens, because the generated ToString of a record prints all members.</summary>
    public override string ToString() => $"plaintext tokens of '{ServerId}'";
}
