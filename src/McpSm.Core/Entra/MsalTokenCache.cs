using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using Microsoft.Identity.Client;

namespace McpSm.Core.Entra;

/// <summary>
/// The token cache of MSAL during one request. Between requests, it is stored in the credential in place of a refresh token. Access tokens
/// are left out, because the credential has the valid one.
/// </summary>
/// <param name="stored">The result of <see cref="Serialize"/>; null to start with an empty cache.</param>
/// <exception cref="McpAuthException">RefreshTokenRejected: the text is not such a cache.</exception>
internal sealed class MsalTokenCache(string? stored = null)
{
    private byte[]? _content = stored is null ? null : Read(stored);

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

    /// <summary>Returns the text to store; null if the cache has no refresh token, so that it could not renew anything.</summary>
    public string? Serialize()
    {
        if (_content is null || JsonNode.Parse(_content) is not JsonObject cache || cache["RefreshToken"] is not JsonObject { Count: > 0 })
        {
            return null;
        }
        cache.Remove("AccessToken");
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(cache.ToJsonString()));
    }

    /// <summary>Returns the refresh tokens in the cache.</summary>
    public IReadOnlyList<string?> Secrets() => _content is null || JsonNode.Parse(_content)?["RefreshToken"] is not JsonObject tokens ? []
        : [.. tokens.Select(t => (t.Value as JsonObject)?["secret"] is JsonValue secret && secret.TryGetValue<string>(out var text) ? text : null)];

    private static byte[] Read(string stored)
    {
        try
        {
            var content = Convert.FromBase64String(stored);
            return JsonNode.Parse(content) is JsonObject ? content : throw new JsonException();
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            // The refresh token was imported from another program, and MSAL has no account for it.
            throw new McpAuthException(ErrorReason.RefreshTokenRejected, "The stored refresh token cannot be used with Microsoft Entra ID.");
        }
    }
}
