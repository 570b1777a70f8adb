using McpSm.Core.Credentials;
using McpSm.Core.Grants;
using McpSm.Core.Vaults;

namespace McpSm.Core.Tests.Formats;

/// <summary>Objects whose serialised form is a golden file. All secrets in them are made up.</summary>
internal static class SampleCredentials
{
    public const string Issuer = "https://issuer.example";
    public const string IdentityProvider = "https://login.example/idp";
    public const string SecretName = "Made-up Name";

    /// <summary>PKCS#8 of the private key 1 on P-256, which protects nothing.</summary>
    public const string DPoPPkcs8 = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGhRANCAARrF9Hy4SxCR/i85uVjpEDy"
        + "dwN9gS3rM6D0oTlF2JjClk/jQuL+Gn+bjufrSnwPnhYrzjNXazFezsu2QGg3v1H1";

    public static DateTimeOffset At(int hour, int minute = 0) => new(2030, 1, 15, hour, minute, 0, TimeSpan.Zero);

    /// <summary>The credential of a user, with every member of it and of its client.</summary>
    public static ServerSecrets OAuthItem => new()
    {
        Url = "https://all-fields.example/mcp",
        BearerToken = null,
        OAuth = new OAuthCredential
        {
            AccessToken = "made-up-access-token",
            RefreshToken = "made-up-refresh-token",
            IssuedAt = At(11),
            ExpiresAt = At(13),
            Scopes = ["mcp:tools", "mcp:read"],
            DeniedScopes = ["mcp:admin"],
            Issuer = Issuer,
            Resource = "https://all-fields.example/mcp",
            Client = new ClientIdentity(ClientKind.PreRegistered, "made-up-client", "made-up-client-secret", "private_key_jwt")
            {
                Key = new ClientKey { Pem = "-----BEGIN MADE UP KEY-----", Thumbprint = "00112233445566778899AABBCCDDEEFF00112233" },
                IsDPoPBound = true,
                OtherMethod = "client_secret_post",
            },
            TokenEndpoint = "https://issuer.example/token",
            RevocationEndpoint = "https://issuer.example/revoke",
            MetadataReadAt = At(10, 59),
            DPoPKey = new DPoPKey { Pkcs8 = DPoPPkcs8 },
            RequiresDPoP = true,
            IdentityProvider = IdentityProvider,
        },
        ClientSecret = "made-up-own-secret",
        ClientIssuers = new Dictionary<string, string> { ["made-up-client"] = Issuer },
        Headers = new Dictionary<string, string> { ["X-Api-Key"] = "made-up-header" },
    };

    public static ServerSecrets BearerItem => new() { Url = "https://bearer.example/mcp", BearerToken = "made-up-bearer-token" };

    /// <summary>A client's own credential (RFC 6749 section 4.4), of a managed identity.</summary>
    public static ServerSecrets ClientItem => new()
    {
        Url = "https://expired.example/mcp",
        OAuth = new OAuthCredential
        {
            AccessToken = "made-up-client-token",
            IssuedAt = At(10, 30),
            ExpiresAt = At(11, 30),
            Issuer = Issuer,
            Resource = "https://expired.example/mcp",
            Client = new ClientIdentity(ClientKind.ManagedIdentity, "", null, "none"),
            TokenEndpoint = "https://issuer.example/token",
            MetadataReadAt = At(10, 30),
            IsOfClient = true,
        },
    };

    /// <summary>A workload's credential (RFC 7523). In real use, only one of the two sources of the assertion is set.</summary>
    public static ServerSecrets WorkloadItem => new()
    {
        Url = "https://unknown.example/mcp",
        OAuth = new OAuthCredential
        {
            AccessToken = "made-up-workload-token",
            IssuedAt = At(11),
            Scopes = ["mcp:tools"],
            Issuer = Issuer,
            Resource = "https://unknown.example/mcp",
            Client = new ClientIdentity(ClientKind.Workload, "", null, "none"),
            TokenEndpoint = "https://issuer.example/token",
            MetadataReadAt = At(11),
            Assertion = new WorkloadAssertionSource { File = "/var/run/secrets/assertion", Variable = "MADE_UP_ASSERTION" },
        },
    };

    public static ClientRegistration Registration => new()
    {
        Issuer = Issuer,
        Client = new ClientIdentity(ClientKind.Dynamic, "made-up-registered-client", "made-up-registered-secret", "client_secret_basic"),
        Ports = [8888, 8889],
        RedirectHost = "localhost",
        Scopes = ["mcp:tools"],
        SecretExpiresAt = At(12).AddYears(1),
    };

    public static IdentityProviderSecrets Identity => new()
    {
        Issuer = IdentityProvider,
        ClientId = "made-up-idp-client",
        ClientSecret = "made-up-idp-secret",
        Session = new IdentitySession
        {
            Client = new ClientIdentity(ClientKind.MetadataDocument, "https://client.example/metadata.json", null, "none"),
            IdToken = "made-up.id.token",
            Subject = "made-up-person",
            RefreshToken = "made-up-idp-refresh-token",
            SignedInAt = At(9),
            IssuedAt = At(11),
            ExpiresAt = At(13),
            Scopes = ["openid", "offline_access"],
            TokenEndpoint = "https://login.example/idp/token",
            RevocationEndpoint = "https://login.example/idp/revoke",
            MetadataReadAt = At(9),
        },
    };

    public static NamedSecret Secret => new()
    {
        Name = SecretName,
        Kind = SecretKind.SecureString,
        Text = "made-up-secret",
        Metadata = new Dictionary<string, SecretMetadataValue>
        {
            ["text"] = SecretMetadataValue.Create("text", "made up"),
            ["number"] = SecretMetadataValue.Create("number", 42),
            ["fraction"] = SecretMetadataValue.Create("fraction", 1.5),
            ["truth"] = SecretMetadataValue.Create("truth", true),
            ["time"] = SecretMetadataValue.Create("time", At(12).UtcDateTime),
        },
    };

    public static NamedSecret TextSecret => new() { Name = "made-up-text", Kind = SecretKind.String, Text = "made-up-secret-2" };

    /// <summary>A newer text of the bearer token's item, which is pending for the keyring.</summary>
    public static PendingItem Pending =>
        new("secret-service", "mcpsm-bearer", "", """{"url":"https://bearer.example/mcp","bearerToken":"made-up-newer-token"}""");
}
