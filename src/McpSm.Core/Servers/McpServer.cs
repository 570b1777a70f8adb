using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Servers;

/// <summary>How a server is spoken to: Streamable HTTP, or the HTTP+SSE transport before it.</summary>
public enum McpTransport
{
    Http,
    Sse,
}

/// <summary>Whether signing in is wanted. Unset until a sign-in finds that the server challenges.</summary>
public enum OAuthMode
{
    Unset,
    On,
    Off,
}

/// <summary>Whether tokens are bound to a key of ours (RFC 9449).</summary>
public enum DPoPMode
{
    /// <summary>Where the server or the issuer asks for it.</summary>
    Auto,
    /// <summary>A token that is not bound is refused.</summary>
    Always,
    /// <summary>Whatever they ask for.</summary>
    Never,
}

/// <summary>A remote MCP server that the user named; what the catalog knows of it. Holds no secret of ours.</summary>
public sealed class McpServer
{
    internal McpServer()
    {
    }

    /// <summary>A copy, for an object initializer to change: the object that someone holds stays as it is.</summary>
    internal McpServer(McpServer original)
    {
        Id = original.Id;
        Name = original.Name;
        Transport = original.Transport;
        Url = original.Url;
        OAuth = original.OAuth;
        ClientId = original.ClientId;
        ClientMetadataUrl = original.ClientMetadataUrl;
        Scopes = original.Scopes;
        Issuer = original.Issuer;
        AllowLegacyEndpoints = original.AllowLegacyEndpoints;
        DPoP = original.DPoP;
        AuthorizeParams = original.AuthorizeParams;
        HeaderNames = original.HeaderNames;
        HasClientSecret = original.HasClientSecret;
        Plaintext = original.Plaintext;
    }

    /// <summary>The name, as text has it: <c>"$server"</c> in PowerShell.</summary>
    public override string ToString() => Name;

    public static implicit operator ServerReference(McpServer server) => new(server.Id, server.Name);

    public string Id { get; internal init; } = "";

    public string Name { get; internal init; } = "";

    public McpTransport Transport { get; internal init; }

    /// <summary>The URL as the user wrote it.</summary>
    public string Url { get; internal init; } = "";

    public OAuthMode OAuth { get; internal init; }

    /// <summary>The id of a client registered beforehand.</summary>
    public string? ClientId { get; internal init; }

    /// <summary>The URL of a client metadata document, which then is the client id.</summary>
    public string? ClientMetadataUrl { get; internal init; }

    /// <summary>The scopes the user wants instead of those the server asks for.</summary>
    public IReadOnlyList<string> Scopes { get; internal init => field = ScopeList.Of(value); } = ScopeList.None;

    /// <summary>The issuer the user pinned.</summary>
    public string? Issuer { get; internal init; }

    /// <summary>Whether the default endpoints of 2025-03-26 may be used (rule 39 of docs/rules.md).</summary>
    public bool AllowLegacyEndpoints { get; internal init; }

    /// <summary>Whether its tokens are bound to a key (rule 35).</summary>
    public DPoPMode DPoP { get; internal init; }

    /// <summary>What the user adds to the authorization URL, by name (see <see cref="AuthorizeParameters"/>). Not used in a sign-in by device code.</summary>
    public IReadOnlyDictionary<string, string> AuthorizeParams { get; internal init => field = AuthorizeParameters.Of(value); } = AuthorizeParameters.None;

    /// <summary>The names of the headers that are sent along; empty unless they were read (<see cref="KeptSecrets"/>). Their values are secrets.</summary>
    public IReadOnlyList<string> HeaderNames { get; internal init => field = value as NameList ?? (value.Count == 0 ? NameList.None : new NameList([.. value])); } = NameList.None;

    /// <summary>Whether a secret of its client is kept; false unless that was read (<see cref="KeptSecrets"/>).</summary>
    public bool HasClientSecret { get; internal init; }

    /// <summary>
    /// Secrets of this server that lie in <c>config.json</c>, where another program put them. Not public: whoever
    /// prints a server must not print them.
    /// </summary>
    internal PlaintextSecrets Plaintext { get; init; } = PlaintextSecrets.None;

    /// <summary>The URL, checked.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    internal Uri Uri => ServerUrl.Parse(Url);

    /// <summary>Which URLs may be visited for it: what the user named is the server and the pinned issuer.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl, of the issuer as well: another program may have written it.</exception>
    internal UrlPolicy PolicyIn(Home home) => new(Issuer is null ? [Uri] : [Uri, ServerUrl.ParseIssuer(this)])
    {
        Network = home.Network,
        IssuerCommand = issuer => new UpdateServerStep(this, new StepOption(StepOptionKind.Issuer, issuer)),
    };

    /// <summary>Whether a credential may be sent to it: https, or http on this machine.</summary>
    internal bool IsSecure => UrlPolicy.IsSecure(Uri);
}

/// <summary>What <c>config.json</c> holds in the clear for one server.</summary>
internal sealed record PlaintextSecrets(
    string? BearerToken, string? ClientSecret, IReadOnlyDictionary<string, string> Headers)
{
    private static readonly string[] SecretWords =
        ["auth", "token", "key", "secret", "cookie", "password", "passwd", "credential", "session", "bearer", "signature", "jwt"];

    /// <summary>Whether anything in it had better be in a vault.</summary>
    public bool HasSecret => BearerToken is not null || ClientSecret is not null || (Headers.Count > 0 && SecretHeaders.Any());

    /// <summary>
    /// The headers that are secrets by their name, or by a value that looks like one. A header such as
    /// <c>X-Region: eu-west-1</c> is none, and stays where a person can see and edit it.
    /// </summary>
    public IEnumerable<KeyValuePair<string, string>> SecretHeaders => Headers.Where(h =>
        SecretWords.Any(word => h.Key.Contains(word, StringComparison.OrdinalIgnoreCase)) || LooksSecret(h.Value));

    private static bool LooksSecret(string value) => value.Length >= 20 && !value.Any(char.IsWhiteSpace)
        && !value.Contains("://", StringComparison.Ordinal) && value.Any(char.IsAsciiDigit) && value.Any(char.IsAsciiLetter);

    public static PlaintextSecrets None { get; } = new(null, null, new Dictionary<string, string>());
}

/// <summary>URLs that a remote server can have.</summary>
public static class ServerUrl
{
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    public static Uri Parse(string? url)
    {
        if (string.IsNullOrWhiteSpace(url))
        {
            throw Invalid("a server needs a URL");
        }
        if (!UrlPolicy.TryParse(url.Trim(), out var uri) || uri.Host.Length == 0)
        {
            throw Invalid("that is not an absolute URL");
        }
        if (uri.Scheme is not ("http" or "https"))
        {
            throw Invalid($"the scheme must be https or http, not '{ForeignText.Clean(uri.Scheme)}'");
        }
        if (uri.UserInfo.Length > 0)
        {
            throw Invalid("it must not carry a user name or password", new SetTokenStep(ServerReference.Unknown));
        }
        if (uri.Fragment.Length > 0)
        {
            throw Invalid("it must not have a fragment ('#…')");
        }
        if (uri.IdnHost.Contains('%'))
        {
            throw Invalid("its address has a zone ('%…'), which means nothing to an issuer");
        }
        return uri;
    }

    /// <summary>The issuer that the user pinned.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    public static Uri ParseIssuer(McpServer server) => UrlPolicy.TryParse(server.Issuer, out var uri) && uri.Scheme is "http" or "https" ? uri
        : throw new McpAuthException(ErrorReason.InvalidServerUrl, $"The issuer set for '{server.Name}' is not an absolute http(s) URL.",
            new UpdateServerStep(server, StepOptionKind.Issuer))
        { Server = server.Name };

    /// <summary>Refuses to send a credential in the clear (rule 27).</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public static void RequireSecure(McpServer server)
    {
        if (!UrlPolicy.IsSecure(server.Uri))
        {
            throw new McpAuthException(ErrorReason.UnsafeEndpoint,
                $"No credential is sent to '{server.Name}': its URL is plain http to another machine.",
                new UpdateServerStep(server, new StepOption(StepOptionKind.Url) { Template = "https://…" }))
            { Server = server.Name };
        }
    }

    // The URL itself is not repeated: it may be the very thing that carries a password.
    private static McpAuthException Invalid(string why, Remedy? remedy = null) => new(ErrorReason.InvalidServerUrl,
        $"The server's URL cannot be used: {why}.", "Give one like https://example.com/mcp");
}
