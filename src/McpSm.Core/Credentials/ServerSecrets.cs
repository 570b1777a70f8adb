using System.Text.Json.Serialization;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>
/// The vault item of one server, <c>mcpsm-&lt;id&gt;</c>: the credential, and the secrets that the user gave. The item itself says which
/// server it belongs to, and only that is trusted.
/// </summary>
internal sealed record ServerSecrets
{
    /// <summary>The server's URL when the item was written.</summary>
    [JsonPropertyName("url")]
    public required string Url { get; init; }
    [JsonPropertyName("bearerToken")]
    public string? BearerToken { get; init; }
    [JsonPropertyName("oAuth")]
    public OAuthCredential? OAuth { get; init; }
    [JsonPropertyName("clientSecret")]
    public string? ClientSecret { get; init; }

    /// <summary>
    /// The issuer that each client of the user, by its id, and each assertion, by its place, was first used with. Neither is sent to another
    /// issuer (rule 15).
    /// </summary>
    [JsonPropertyName("clientIssuers")]
    public IReadOnlyDictionary<string, string>? ClientIssuers { get; init; }
    [JsonPropertyName("headers")]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>The access token to send: the bearer token or the OAuth token.</summary>
    [JsonIgnore]
    public string? Token => BearerToken ?? OAuth?.AccessToken;

    /// <summary>Adds the credential to a request, if there is one.</summary>
    internal void Authorize(HttpRequestMessage request, DateTimeOffset now)
    {
        if (BearerToken is not null)
        {
            request.Headers.Authorization = new(TokenType.Bearer, BearerToken);
        }
        else
        {
            OAuth?.Authorize(request, now);
        }
    }

    [JsonIgnore]
    public bool IsEmpty => BearerToken is null && OAuth is null && ClientSecret is null && Headers is null or { Count: 0 };

    /// <summary>Returns whether the item was made for the present origin of the server.</summary>
    public bool IsFor(McpServer server) =>
        UrlPolicy.TryParse(Url, out var itemUrl) && ResourceUri.SameOrigin(itemUrl, server.Uri);

    /// <summary>Returns the usable part: null if the origin has changed, and no OAuth token whose resource does not cover the server (rule 22).</summary>
    public ServerSecrets? UsableFor(McpServer server) => !IsFor(server) ? null
        : OAuth is { } oauth && !ResourceUri.Covers(oauth.Resource, server.Uri) ? this with { OAuth = null } : this;

    /// <summary>Returns the item with a new credential, and with the client of the user bound to its issuer.</summary>
    public ServerSecrets With(OAuthCredential credential) => this with
    {
        OAuth = credential,
        BearerToken = null,
        ClientIssuers = credential.Issuer is { } issuer
            && new[] { credential.Client.Kind == ClientKind.PreRegistered ? credential.Client.Id : null, credential.Assertion?.Location }
                .OfType<string>().ToList()
                        is { Count: > 0 } bound
                    ? new Dictionary<string, string>((ClientIssuers ?? new Dictionary<string, string>()).Where(t => !bound.Contains(t.Key))
                        .Concat(bound.Select(t => KeyValuePair.Create(t, issuer)))) : ClientIssuers,
    };

    /// <summary>Returns the headers of the server. Those of the vault replace those of <c>config.json</c>. A server without TLS gets none.</summary>
    /// <exception cref="McpAuthException">InvalidValue: a header that another program wrote has a value that cannot be sent.</exception>
    public static IReadOnlyDictionary<string, string> HeadersFor(McpServer server, ServerSecrets? item)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (UrlPolicy.IsSecure(server.Uri))
        {
            foreach (var (name, value) in server.Plaintext.Headers.Concat(item?.Headers ?? new Dictionary<string, string>()))
            {
                headers[name] = value;
            }
        }
        return headers.FirstOrDefault(h => h.Value.Any(c => c is not ('\t' or (>= ' ' and <= '~')))).Key is not { } unsendable ? headers
            : throw new McpAuthException(ErrorReason.InvalidValue,
                    $"The header '{UntrustedText.Sanitize(unsendable)}' of '{server.Name}' cannot be sent: its value in config.json is not printable ASCII.",
                new UpdateServerStep(server, new StepOption(StepOptionKind.Header, unsendable)))
            { Server = server.Name };
    }

    public override string ToString() => "server item";
}
