using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Servers;

/// <summary>A remote MCP server that the user has named, as the catalog describes it. Does not contain secrets of Mcpsm.</summary>
public sealed class McpServer
{
    internal McpServer()
    {
    }

    /// <summary>Copies a server so that an object initializer can change the copy. The original stays unchanged.</summary>
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
        Relay = original.Relay;
        Resource = original.Resource;
        HeaderNames = original.HeaderNames;
        HasClientSecret = original.HasClientSecret;
        Plaintext = original.Plaintext;
    }

    /// <summary>Returns the name, so that <c>"$server"</c> in PowerShell is the name.</summary>
    public override string ToString() => Name;

    public static implicit operator ServerReference(McpServer server) => new(server.Id, server.Name);

    public string Id { get; internal init; } = "";

    public string Name { get; internal init; } = "";

    public McpTransport Transport { get; internal init; }

    /// <summary>The URL as the user entered it.</summary>
    public string Url { get; internal init; } = "";

    public OAuthMode OAuth { get; internal init; }

    /// <summary>The id of a pre-registered client.</summary>
    public string? ClientId { get; internal init; }

    /// <summary>The URL of a client metadata document, which is then the client id.</summary>
    public string? ClientMetadataUrl { get; internal init; }

    /// <summary>The scopes that the user requests instead of the server's.</summary>
    public IReadOnlyList<string> Scopes { get; internal init => field = ScopeList.Create(value); } = ScopeList.None;

    /// <summary>The issuer that the user has pinned.</summary>
    public string? Issuer { get; internal init; }

    /// <summary>Whether the default endpoints of MCP revision 2025-03-26 may be used (rule 39 of docs/rules.md).</summary>
    public bool AllowLegacyEndpoints { get; internal init; }

    /// <summary>Whether the server's tokens are bound to a key (rule 35).</summary>
    public DPoPMode DPoP { get; internal init; }

    /// <summary>
    /// The parameters that the user adds to the authorization URL, by name (see <see cref="AuthorizeParameters"/>). The device code flow does not use
    /// them.
    /// </summary>
    public IReadOnlyDictionary<string, string> AuthorizeParams { get; internal init => field = AuthorizeParameters.Create(value); } = AuthorizeParameters.None;

    /// <summary>How <c>mcpsm proxy</c> relays to the server.</summary>
    internal RelaySettings Relay { get; init; } = RelaySettings.None;

    /// <summary>Whether <c>mcpsm proxy</c> asks a person to sign in if it starts without a usable credential.</summary>
    public bool RelaySignIn => Relay.SignIn;
    /// <summary>
    /// The <c>resource</c> parameter for the issuer (RFC 8707): a URI, or <c>none</c> for an issuer that refuses the parameter. Null for the
    /// resource that the server names.
    /// </summary>
    public string? Resource { get; internal init; }

    /// <summary>
    /// Whether <c>mcpsm proxy</c> may use the other transport if the server does not speak <see cref="Transport"/>. Null for the default: from
    /// Streamable HTTP, but not from HTTP+SSE.
    /// </summary>
    public bool? Fallback => Relay.Fallback;

    /// <summary>The tools that <c>mcpsm proxy</c> offers, with <c>*</c> as a wildcard; empty for all.</summary>
    public IReadOnlyList<string> AllowTools => Relay.AllowTools;

    /// <summary>The tools that <c>mcpsm proxy</c> leaves out, with <c>*</c> as a wildcard.</summary>
    public IReadOnlyList<string> IgnoreTools => Relay.IgnoreTools;

    /// <summary>How many seconds a request through <c>mcpsm proxy</c> may take; null for no limit.</summary>
    public int? RequestTimeout => Relay.RequestTimeout;

    /// <summary>How many seconds <c>initialize</c> through <c>mcpsm proxy</c> may take; null for the limit of the other requests.</summary>
    public int? InitializeTimeout => Relay.InitializeTimeout;

    /// <summary>The names of the extra headers to send; empty unless they were read. The values are secrets.</summary>
    public IReadOnlyList<string> HeaderNames
    {
        get;
        internal init => field = DisplayList.Create(value);
    } = DisplayList.None;

    /// <summary>Whether the vault has a secret for the server's client; false unless that was read.</summary>
    public bool HasClientSecret { get; internal init; }

    /// <summary>
    /// The secrets of this server in <c>config.json</c>, which another program wrote. Not public, so that code that prints a server does not print
    /// them.
    /// </summary>
    internal PlaintextSecrets Plaintext { get; init; } = PlaintextSecrets.None;

    /// <summary>The validated URL.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    internal Uri Uri => ServerUrl.Parse(Url);

    /// <summary>Returns the policy for URLs in requests for this server. The user has named the server and the pinned issuer.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl, also for the issuer: another program may have written it.</exception>
    internal UrlPolicy PolicyIn(AppEnvironment environment) => new(Issuer is null ? [Uri] : [Uri, ServerUrl.ParseIssuer(this)])
    {
        Network = environment.Network,
        IssuerCommand = issuer => new UpdateServerStep(this, new StepOption(StepOptionKind.Issuer, issuer)),
    };

    /// <summary>Whether a credential may be sent to the server: the URL is https, or http on this machine.</summary>
    internal bool IsSecure => UrlPolicy.IsSecure(Uri);
}
