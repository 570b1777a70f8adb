using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Servers;

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
    public IReadOnlyList<string> Scopes { get; internal init => field = ScopeList.Create(value); } = ScopeList.None;

    /// <summary>The issuer the user pinned.</summary>
    public string? Issuer { get; internal init; }

    /// <summary>Whether the default endpoints of 2025-03-26 may be used (rule 39 of docs/rules.md).</summary>
    public bool AllowLegacyEndpoints { get; internal init; }

    /// <summary>Whether its tokens are bound to a key (rule 35).</summary>
    public DPoPMode DPoP { get; internal init; }

    /// <summary>What the user adds to the authorization URL, by name (see <see cref="AuthorizeParameters"/>). Not used in a sign-in by device code.</summary>
    public IReadOnlyDictionary<string, string> AuthorizeParams { get; internal init => field = AuthorizeParameters.Create(value); } = AuthorizeParameters.None;

    /// <summary>The names of the headers that are sent along; empty unless they were read. Their values are secrets.</summary>
    public IReadOnlyList<string> HeaderNames { get; internal init => field = value as DisplayList ?? (value.Count == 0 ? DisplayList.None : new DisplayList([.. value])); } = DisplayList.None;

    /// <summary>Whether a secret of its client is kept; false unless that was read.</summary>
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
    internal UrlPolicy PolicyIn(AppEnvironment environment) => new(Issuer is null ? [Uri] : [Uri, ServerUrl.ParseIssuer(this)])
    {
        Network = environment.Network,
        IssuerCommand = issuer => new UpdateServerStep(this, new StepOption(StepOptionKind.Issuer, issuer)),
    };

    /// <summary>Whether a credential may be sent to it: https, or http on this machine.</summary>
    internal bool IsSecure => UrlPolicy.IsSecure(Uri);
}
