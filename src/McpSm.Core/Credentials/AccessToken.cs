using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>A valid access token of a server, with the headers to send it.</summary>
public sealed class AccessToken
{
    private readonly McpServer _server;
    private readonly DPoPKey? _key;
    private readonly TimeProvider _time;

    internal AccessToken(McpServer server, string text, DPoPKey? key, TimeProvider time) => (_server, Value, _key, _time) = (server, text, key, time);

    public string Value { get; }

    /// <summary>Whether the token is bound to a key (RFC 9449). Each request then needs a proof.</summary>
    public bool IsBound => _key is not null;

    /// <summary>Returns the headers of one request: <c>Authorization</c>, and a DPoP proof if the token is bound.</summary>
    /// <param name="method">The method of the request. The default is POST.</param>
    /// <param name="uri">The URL of the request: the server's URL, or one below it. The default is the server's URL.</param>
    /// <param name="nonce">The nonce that the server asked for; null if it asked for none.</param>
    /// <exception cref="McpAuthException">InvalidValue; UnsafeEndpoint: the URL is outside the server. VaultCorrupt: the key is damaged.</exception>
    public IReadOnlyList<KeyValuePair<string, string>> HeadersFor(string? method = null, string? uri = null, string? nonce = null)
    {
        var target = uri is null ? _server.Uri
            : UrlPolicy.TryParse(uri, out var requestUri) && requestUri.Scheme is "http" or "https" && requestUri.UserInfo.Length == 0 ? requestUri
            : throw Invalid("The URL of the request must be an absolute http or https URL.");
        ServerUrl.RequireCovered(_server, target);
        if (nonce is not null && !DPoPNonceCache.IsValid(nonce))
        {
            throw Invalid("A nonce must be printable ASCII without spaces, quotes and backslashes.");
        }
        var httpMethod = method is null ? HttpMethod.Post : method.Length > 0 && method.All(char.IsAsciiLetter) ? HttpMethod.Parse(method)
            : throw Invalid("The method of a request must be a word such as POST or GET.");
        List<KeyValuePair<string, string>> headers = [new("Authorization", $"{(IsBound ? TokenType.DPoP : TokenType.Bearer)} {Value}")];
        if (_key is not null)
        {
            headers.Add(new(DPoPProof.Header, DPoPProof.Create(_key, httpMethod, target, _time.GetUtcNow(), Value, nonce ?? DPoPNonceCache.For(target))));
        }
        return headers;
    }

    /// <summary>Returns a text that does not contain the token.</summary>
    public override string ToString() => "access token";

    private McpAuthException Invalid(string message) => new(ErrorReason.InvalidValue, message) { Server = _server.Name };
}
