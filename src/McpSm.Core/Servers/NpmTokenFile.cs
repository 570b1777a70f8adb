using System.Text.Json.Nodes;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>A token set that the npm tool keeps in plaintext: by the server's id, without issuer or resource.</summary>
internal sealed record NpmTokenFile(string File, string ServerId, string AccessToken, string? RefreshToken,
    IReadOnlyList<string> Scopes, string? ClientId, string? ClientSecret, DateTimeOffset? ExpiresAt)
{
    /// <summary>All token sets in all files.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt: not JSON, or an entry without a token.</exception>
    public static IReadOnlyList<NpmTokenFile> Read(AppEnvironment environment) => [.. environment.PlaintextTokenFiles.SelectMany(ReadFile)];

    /// <summary>The ids that have one, and the file's name: what status tells. A damaged file is for the import to report.</summary>
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
                // Milliseconds, as Date.now() counts them.
                entry["expiresAt"] is JsonValue at && at.TryGetValue<double>(out var end) && end is >= 0 and < 253402300799000
                    ? DateTimeOffset.FromUnixTimeMilliseconds((long)end) : null);
        }
    }

    /// <summary>Takes the entry out of its file and leaves every other byte of it.</summary>
    /// <returns>Whether it is gone; false where another token stands there by now.</returns>
    public async Task<bool> RemoveAsync(AppEnvironment environment, CancellationToken cancellationToken)
    {
        using var held = await environment.LockAsync("plaintext-tokens", cancellationToken).ConfigureAwait(false);
        var now = ReadFile(File).FirstOrDefault(t => t.ServerId == ServerId);
        return now is null || (now.AccessToken == AccessToken && now.RefreshToken == RefreshToken && JsonFile.RemoveMember(File, [ServerId], null));
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
            throw JsonFile.Corrupt(file, "a text in it is no Unicode");
        }
    }

    /// <summary>Without the tokens: records print all their members.</summary>
    public override string ToString() => $"plaintext tokens of '{ServerId}'";
}
