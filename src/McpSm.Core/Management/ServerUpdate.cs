using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Http;
using McpSm.Core.Registration;
using McpSm.Core.Servers;

namespace McpSm.Core.Management;

/// <summary>What is said of a server that is added or changed. Null is not said; an empty text takes a setting away.</summary>
public sealed record ServerUpdate
{
    private const int MaxTimeoutSeconds = 24 * 60 * 60;

    public string? Name { get; init; }
    public string? Url { get; init; }
    public McpTransport? Transport { get; init; }
    public OAuthMode? OAuth { get; init; }
    public string? ClientId { get; init; }

    /// <summary>Kept in the vault. A line break at its end is left out, as of the other secrets.</summary>
    public string? ClientSecret { get; init => field = value is null ? null : SecretText.WithoutLineEnd(value); }
    public IReadOnlyList<string>? Scopes { get; init; }
    public string? Issuer { get; init; }

    /// <summary>Kept in the vault; an empty value removes the header.</summary>
    public IReadOnlyDictionary<string, string>? Headers
    {
        get;
        init => field = value?.ToDictionary(h => h.Key, h => SecretText.WithoutLineEnd(h.Value), StringComparer.OrdinalIgnoreCase);
    }

    public string? ClientMetadataUrl { get; init; }
    public bool? AllowLegacyEndpoints { get; init; }
    public DPoPMode? DPoP { get; init; }

    /// <summary>What to add to the authorization URL; an empty value removes a parameter, an empty table all of them.</summary>
    public IReadOnlyDictionary<string, string>? AuthorizeParams { get; init; }

    /// <summary>Whether <c>mcpsm proxy</c> asks a person to sign in if it starts without a usable credential.</summary>
    public bool? RelaySignIn { get; init; }
    /// <summary>The <c>resource</c> parameter for the issuer (RFC 8707): a URI, or <c>none</c> to send none.</summary>
    public string? Resource { get; init; }

    /// <summary>Whether <c>mcpsm proxy</c> may use the other transport.</summary>
    public bool? Fallback { get; init; }

    /// <summary>The tools that <c>mcpsm proxy</c> offers; an empty list allows all.</summary>
    public IReadOnlyList<string>? AllowTools { get; init => field = ToolPattern.Split(value); }

    /// <summary>The tools that <c>mcpsm proxy</c> leaves out; an empty list leaves out none.</summary>
    public IReadOnlyList<string>? IgnoreTools { get; init => field = ToolPattern.Split(value); }

    /// <summary>How many seconds a request through <c>mcpsm proxy</c> may take; 0 removes the limit.</summary>
    public int? RequestTimeout { get; init; }

    /// <summary>How many seconds <c>initialize</c> through <c>mcpsm proxy</c> may take; 0 removes the limit.</summary>
    public int? InitializeTimeout { get; init; }

    /// <summary>A bearer token, kept in the vault.</summary>
    public string? Token { get; init => field = value is null ? null : SecretText.WithoutLineEnd(value); }

    /// <summary>The client, or the issuer it belongs to, is another one from now on.</summary>
    internal bool IsNewClient => ClientId is not null || Issuer is not null || ClientSecret is not null;

    /// <summary>Refuses what could be kept and never be used.</summary>
    /// <exception cref="McpAuthException">InvalidValue, InvalidServerUrl, UnsafeEndpoint.</exception>
    internal void Check()
    {
        if (Issuer is { Length: > 0 } issuer)
        {
            new UrlPolicy(ServerUrl.Parse(issuer)).Check(issuer, "The issuer");
        }
        if (ClientMetadataUrl is { Length: > 0 } document)
        {
            ClientRegistrar.CheckMetadataUrl(document);
        }
        if (Scopes?.FirstOrDefault(s => !Discovery.Scopes.IsValid(s)) is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A scope is printable ASCII without spaces, quotes and backslashes.");
        }
        if (AuthorizeParams is not null)
        {
            AuthorizeParameters.Check(AuthorizeParams);
        }
        ResourceParameter.Check(Resource);
        ToolPattern.Check(AllowTools);
        ToolPattern.Check(IgnoreTools);
        CheckTimeout(RequestTimeout);
        CheckTimeout(InitializeTimeout);
        if (ClientSecret is not null)
        {
            CheckClientSecret(ClientSecret);
        }
        foreach (var (name, value) in Headers ?? new Dictionary<string, string>())
        {
            CheckHeader(name, value);
        }
    }

    internal McpServer Apply(McpServer server) => new(server)
    {
        Name = Name ?? server.Name,
        Url = Url?.Trim() ?? server.Url,
        Transport = Transport ?? server.Transport,
        OAuth = OAuth ?? server.OAuth,
        ClientId = Or(ClientId, server.ClientId),
        Scopes = Scopes ?? server.Scopes,
        Issuer = Or(Issuer, server.Issuer),
        ClientMetadataUrl = Or(ClientMetadataUrl, server.ClientMetadataUrl),
        AllowLegacyEndpoints = AllowLegacyEndpoints ?? server.AllowLegacyEndpoints,
        DPoP = DPoP ?? server.DPoP,
        AuthorizeParams = AuthorizeParams is null ? server.AuthorizeParams : AuthorizeParameters.Changed(server.AuthorizeParams, AuthorizeParams),
        Relay = server.Relay with
        {
            SignIn = RelaySignIn ?? server.Relay.SignIn,
            Fallback = Fallback ?? server.Fallback,
            AllowTools = AllowTools ?? server.AllowTools,
            IgnoreTools = IgnoreTools ?? server.IgnoreTools,
            RequestTimeout = Or(RequestTimeout, server.RequestTimeout),
            InitializeTimeout = Or(InitializeTimeout, server.InitializeTimeout),
        },
        Resource = Or(Resource?.Trim(), server.Resource),
    };

    /// <summary>Without the secrets: records print all their members.</summary>
    public override string ToString() => $"change of server '{Name}'";

    /// <summary>Refuses what no issuer gave: several lines were pasted, or a file was.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    internal static void CheckClientSecret(string secret)
    {
        if (secret.Any(char.IsControl))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, SecretText.HasSeveralLines(secret)
                ? "The client's secret has several lines." : "The client's secret has control characters.", "Give the secret and nothing else.");
        }
    }

    private static void CheckHeader(string name, string value)
    {
        CheckHeaderText(name, value);
        if (name.Equals("Authorization", StringComparison.OrdinalIgnoreCase))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The Authorization header is made of the token.",
                $"Give the token itself, with: {new SetTokenStep(ServerReference.Unknown)}");
        }
    }

    /// <summary>Rejects a header that cannot be sent.</summary>
    /// <exception cref="McpAuthException">InvalidValue. The message does not repeat the value.</exception>
    internal static void CheckHeaderText(string name, string value)
    {
        using var probe = new HttpRequestMessage();
        if (!probe.Headers.TryAddWithoutValidation(name, "x"))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A header has a name that cannot be sent.",
                "Use the letters, digits and dashes of ASCII, as in X-Api-Key.");
        }
        if (value.Any(c => c is < ' ' or > '~'))
        {
            var why = SecretText.HasSeveralLines(value) ? "it has several lines" : "it has characters other than printable ASCII";
            throw new McpAuthException(ErrorReason.InvalidValue, $"The value of the header {UntrustedText.Sanitize(name)} cannot be sent: {why}.",
                "Give a value of printable ASCII, in one line.");
        }
    }

    private static void CheckTimeout(int? seconds)
    {
        if (seconds is < 0 or > MaxTimeoutSeconds)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "A time limit of the proxy must be at most a day, in seconds; 0 removes the limit.");
        }
    }

    private static int? Or(int? given, int? before) => given is null ? before : given == 0 ? null : given;

    private static string? Or(string? given, string? before) => given is null ? before : given.Length == 0 ? null : given;
}
