using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>A valid access token of a server, and what to send it with.</summary>
public sealed class AccessToken
{
    private readonly McpServer _server;
    private readonly DPoPKey? _key;
    private readonly TimeProvider _time;

    internal AccessToken(McpServer server, string text, DPoPKey? key, TimeProvider time) => (_server, Value, _key, _time) = (server, text, key, time);

    public string Value { get; }

    /// <summary>It is bound to a key, and no use without a proof for each request (RFC 9449).</summary>
    public bool IsBound => _key is not null;

    /// <summary>The headers of one request: <c>Authorization</c>, and the proof for it where the token is bound.</summary>
    /// <param name="method">The method of the request; POST where null.</param>
    /// <param name="uri">Its URL, the server's own or below it; the server's own where null.</param>
    /// <param name="nonce">The nonce that the server asked for; null where it did not.</param>
    /// <exception cref="McpAuthException">InvalidValue; UnsafeEndpoint: the URL leads out of the server. VaultCorrupt.</exception>
    public IReadOnlyList<KeyValuePair<string, string>> HeadersFor(string? method = null, string? uri = null, string? nonce = null)
    {
        var target = uri is null ? _server.Uri : UrlPolicy.TryParse(uri, out var given) && given.Scheme is "http" or "https" && given.UserInfo.Length == 0 ? given
            : throw Invalid("The URL of the request is no absolute http(s) URL.");
        ServerUrl.RequireCovered(_server, target);
        if (nonce is not null && !DPoPNonceCache.IsValid(nonce))
        {
            throw Invalid("A nonce is printable ASCII without spaces, quotes and backslashes.");
        }
        var verb = method is null ? HttpMethod.Post : method.Length > 0 && method.All(char.IsAsciiLetter) ? HttpMethod.Parse(method)
            : throw Invalid("The method of a request is a word such as POST or GET.");
        List<KeyValuePair<string, string>> headers = [new("Authorization", $"{(IsBound ? TokenType.DPoP : TokenType.Bearer)} {Value}")];
        if (_key is not null)
        {
            headers.Add(new(DPoPProof.Header, DPoPProof.Create(_key, verb, target, _time.GetUtcNow(), Value, nonce ?? DPoPNonceCache.For(target))));
        }
        return headers;
    }

    /// <summary>Without the token.</summary>
    public override string ToString() => "access token";

    private McpAuthException Invalid(string why) => new(ErrorReason.InvalidValue, why) { Server = _server.Name };
}
