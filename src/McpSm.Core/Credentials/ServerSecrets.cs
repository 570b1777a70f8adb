using System.Text.Json.Serialization;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>
/// The vault item of one server, <c>mcpsm-&lt;id&gt;</c>: its credential, and the secrets the user gave for it. What
/// binds it to the server stands in it, and only that is trusted.
/// </summary>
public sealed record ServerSecrets
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
    /// The issuers that clients of the user's were first used with, by client id, and assertions, by their place: each is
    /// shown to no other (rule 15).
    /// </summary>
    [JsonPropertyName("clientIssuers")]
    public IReadOnlyDictionary<string, string>? ClientIssuers { get; init; }
    [JsonPropertyName("headers")]
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>The access token to send, whatever its kind.</summary>
    [JsonIgnore]
    public string? Token => BearerToken ?? OAuth?.AccessToken;

    /// <summary>Puts the credential into a request, if there is one.</summary>
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

    /// <summary>Whether this was made for the server as it is now: its origin has not moved.</summary>
    public bool IsFor(McpServer server) =>
        UrlPolicy.TryParse(Url, out var made) && ResourceUri.SameOrigin(made, server.Uri);

    /// <summary>What of it may be used for the server: nothing after a move, no token outside its resource (rule 22).</summary>
    public ServerSecrets? UsableFor(McpServer server) => !IsFor(server) ? null
        : OAuth is { } oauth && !ResourceUri.Covers(oauth.Resource, server.Uri) ? this with { OAuth = null } : this;

    /// <summary>The item with a new credential, and with the tie of the user's client to its issuer.</summary>
    public ServerSecrets With(OAuthCredential credential) => this with
    {
        OAuth = credential,
        BearerToken = null,
        ClientIssuers = credential.Issuer is { } issuer
            && new[] { credential.Client.Kind == ClientKind.PreRegistered ? credential.Client.Id : null, credential.Assertion?.Location }.OfType<string>().ToList()
                is { Count: > 0 } tied
            ? new Dictionary<string, string>((ClientIssuers ?? new Dictionary<string, string>()).Where(t => !tied.Contains(t.Key))
                .Concat(tied.Select(t => KeyValuePair.Create(t, issuer)))) : ClientIssuers,
    };

    /// <summary>The server's own headers: those in the vault over those in <c>config.json</c>; none in the clear.</summary>
    /// <exception cref="McpAuthException">InvalidValue: one that another program wrote cannot be sent.</exception>
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
                $"The header {UntrustedText.Sanitize(unsendable)} of '{server.Name}' in config.json cannot be sent: its value is not printable ASCII.",
                new UpdateServerStep(server, new StepOption(StepOptionKind.Header, unsendable)))
            { Server = server.Name };
    }

    public override string ToString() => "server item";
}
