namespace McpSm.Core.Discovery;

/// <summary>
/// An issuer of Microsoft Entra ID, recognised by its identifier alone: https, one of Microsoft's sign-in hosts, and a tenant. Entra supports PKCE
/// but does not advertise it, and the metadata of its shared tenants has a placeholder in the issuer, so rules 6 and 25 of docs/rules.md cannot be
/// checked. Instead Mcpsm relies on the host, which TLS authenticates: it does not read metadata and uses the documented endpoints.
/// </summary>
/// <param name="Host">The sign-in host of the cloud.</param>
/// <param name="Tenant">The id or domain of a tenant, or <c>common</c>, <c>organizations</c>, <c>consumers</c>.</param>
internal sealed record EntraIssuer(string Host, string Tenant)
{
    private const string Worldwide = "login.microsoftonline.com";
    private const string UsGovernment = "login.microsoftonline.us";
    private const string China = "login.partner.microsoftonline.cn";

    // The hosts of issuers, and the hosts of their endpoints. Version 1 tokens name sts.windows.net, which has no endpoints; the cloud in China has a
    // former host.
    private static readonly (string IssuerHost, string EndpointHost)[] Hosts =
    [
        (Worldwide, Worldwide), ("sts.windows.net", Worldwide), (UsGovernment, UsGovernment), (China, China), ("login.chinacloudapi.cn", China),
    ];

    /// <summary>Returns the issuer with this identifier; null if it is not exactly an Entra issuer.</summary>
    public static EntraIssuer? Find(string? identifier)
    {
        foreach (var (issuerHost, endpointHost) in Hosts)
        {
            var start = $"https://{issuerHost}/";
            if (identifier?.StartsWith(start, StringComparison.Ordinal) != true)
            {
                continue;
            }
            var path = identifier.AsSpan(start.Length);
            path = path.EndsWith("/") ? path[..^1] : path;
            path = path.EndsWith("/v2.0") ? path[..^"/v2.0".Length] : path;
            return IsTenant(path) ? new EntraIssuer(endpointHost, path.ToString()) : null;
        }
        return null;
    }

    /// <summary>Whether the issuer is a single tenant, in which a client can sign in as itself.</summary>
    public bool IsOneTenant => Tenant.ToLowerInvariant() is not ("common" or "organizations" or "consumers");

    /// <summary>
    /// Whether a response from this issuer can be the response to a request to <paramref name="requested"/>.
    /// </summary>
    internal bool MayAnswerFor(EntraIssuer requested) => Host == requested.Host
        // A domain or a shared tenant can stand for any tenant id.
        && (!Guid.TryParse(requested.Tenant, out var tenant) || (Guid.TryParse(Tenant, out var responding) && responding == tenant));

    public string Authority => $"https://{Host}/{Tenant}";

    /// <summary>The URL of the portal for app registrations.</summary>
    public string Portal => Host switch
    {
        UsGovernment => "https://portal.azure.us",
        China => "https://portal.azure.cn",
        _ => "https://portal.azure.com",
    };

    /// <summary>Returns the built-in metadata of the issuer.</summary>
    internal AuthorizationServerMetadata Describe(string identifier) => new()
    {
        Issuer = identifier,
        AuthorizationEndpoint = Authority + "/oauth2/v2.0/authorize",
        TokenEndpoint = Authority + "/oauth2/v2.0/token",
        DeviceAuthorizationEndpoint = Authority + "/oauth2/v2.0/devicecode",
        SupportsPkce = true,
    };

    private static bool IsTenant(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.'))
            {
                return false;
            }
        }
        return text.Length > 0 && char.IsAsciiLetterOrDigit(text[0]);
    }
}
