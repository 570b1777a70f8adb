using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using Microsoft.Identity.Client;

namespace McpSm.Core.Entra;

/// <summary>
/// The library's token cache, for the time of one request: it comes out of the vault and goes back into it, in the
/// credential, where others have their refresh token. Access tokens are left out: the credential has the one that counts.
/// </summary>
/// <param name="kept">As <see cref="Keep"/> gave it; null to begin empty.</param>
/// <exception cref="McpAuthException">RefreshTokenRejected: it is no such cache.</exception>
internal sealed class MsalTokenCache(string? kept = null)
{
    private byte[]? _content = kept is null ? null : Read(kept);

    public void Attach(ITokenCache cache)
    {
        cache.SetBeforeAccess(access =>
        {
            if (_content is not null)
            {
                access.TokenCache.DeserializeMsalV3(_content, shouldClearExistingCache: true);
            }
        });
        cache.SetAfterAccess(access =>
        {
            if (access.HasStateChanged)
            {
                _content = access.TokenCache.SerializeMsalV3();
            }
        });
    }

    /// <summary>What is to be kept; null where there is no refresh token in it, so that it could renew nothing.</summary>
    public string? Keep()
    {
        if (_content is null || JsonNode.Parse(_content) is not JsonObject cache || cache["RefreshToken"] is not JsonObject { Count: > 0 })
        {
            return null;
        }
        cache.Remove("AccessToken");
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(cache.ToJsonString()));
    }

    /// <summary>The refresh tokens in it.</summary>
    public IReadOnlyList<string?> Secrets() => _content is null || JsonNode.Parse(_content)?["RefreshToken"] is not JsonObject tokens ? []
        : [.. tokens.Select(t => (t.Value as JsonObject)?["secret"] is JsonValue secret && secret.TryGetValue<string>(out var text) ? text : null)];

    private static byte[] Read(string kept)
    {
        try
        {
            var content = Convert.FromBase64String(kept);
            return JsonNode.Parse(content) is JsonObject ? content : throw new JsonException();
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            // A refresh token that was taken over from another program: the library has no account to it.
            throw new McpAuthException(ErrorReason.RefreshTokenRejected, "What is kept to renew with is of no use at Microsoft Entra ID.");
        }
    }
}
