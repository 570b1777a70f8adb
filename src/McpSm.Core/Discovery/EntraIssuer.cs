namespace McpSm.Core.Discovery;

/// <summary>
/// An issuer of Microsoft Entra ID, known by its identifier alone: https, one of Microsoft's sign-in hosts and no other,
/// and a tenant. Entra does PKCE and leaves it out of its metadata, and the metadata of its shared tenants names an issuer
/// with a placeholder in it, so that rules 6 and 25 of docs/rules.md cannot be held against what it publishes. In their place stands the
/// host, which TLS proves: nothing is read from it, and the endpoints are the documented ones.
/// </summary>
/// <param name="Host">The sign-in host of its cloud.</param>
/// <param name="Tenant">A tenant's id or domain, or <c>common</c>, <c>organizations</c>, <c>consumers</c>.</param>
public sealed record EntraIssuer(string Host, string Tenant)
{
    private const string Worldwide = "login.microsoftonline.com";
    private const string UsGovernment = "login.microsoftonline.us";
    private const string China = "login.partner.microsoftonline.cn";

    // Which hosts are issuers' and where their endpoints are. Tokens of version 1 name an issuer that has none, and China's
    // cloud had another host before.
    private static readonly (string Named, string Host)[] Hosts =
    [
        (Worldwide, Worldwide), ("sts.windows.net", Worldwide), (UsGovernment, UsGovernment), (China, China), ("login.chinacloudapi.cn", China),
    ];

    /// <summary>The issuer that the identifier names; null where it is not Entra's to the letter.</summary>
    public static EntraIssuer? Find(string? identifier)
    {
        foreach (var (named, host) in Hosts)
        {
            var start = $"https://{named}/";
            if (identifier?.StartsWith(start, StringComparison.Ordinal) != true)
            {
                continue;
            }
            var path = identifier.AsSpan(start.Length);
            path = path.EndsWith("/") ? path[..^1] : path;
            path = path.EndsWith("/v2.0") ? path[..^"/v2.0".Length] : path;
            return IsTenant(path) ? new EntraIssuer(host, path.ToString()) : null;
        }
        return null;
    }

    /// <summary>Whether it is one tenant, in which a client can sign in by itself.</summary>
    public bool IsOneTenant => Tenant.ToLowerInvariant() is not ("common" or "organizations" or "consumers");

    /// <summary>Whether an answer that names this one may be the answer of that one.</summary>
    internal bool MayAnswerFor(EntraIssuer asked) => Host == asked.Host
        // A tenant's domain and a shared tenant stand for an id that is not known here.
        && (!Guid.TryParse(asked.Tenant, out var tenant) || (Guid.TryParse(Tenant, out var answered) && answered == tenant));

    public string Authority => $"https://{Host}/{Tenant}";

    /// <summary>Where its people register apps.</summary>
    public string Portal => Host switch
    {
        UsGovernment => "https://portal.azure.us",
        China => "https://portal.azure.cn",
        _ => "https://portal.azure.com",
    };

    /// <summary>What there is to know of it without asking.</summary>
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
