using McpSm.Core.Credentials;

namespace McpSm.Core.Tests.Formats;

/// <summary>The content of the golden file of <c>credentials.json</c>: every member, and every state that a status shows.</summary>
internal static class SampleIndex
{
    private static CredentialInfo OAuth(string server) => new()
    {
        Vault = "file",
        Kind = CredentialKind.OAuth,
        Url = $"https://{server}.example/mcp",
        Issuer = SampleCredentials.Issuer,
        Resource = $"https://{server}.example/mcp",
        Scopes = ["mcp:tools"],
        IssuedAt = SampleCredentials.At(11),
    };

    public static IReadOnlyDictionary<string, CredentialInfo> Servers => new Dictionary<string, CredentialInfo>
    {
        ["all-fields"] = new()
        {
            Vault = "file",
            Kind = CredentialKind.OAuth,
            SignedInBy = SignedInBy.IdentityProvider,
            Url = "https://all-fields.example/mcp",
            Issuer = SampleCredentials.Issuer,
            IdentityProvider = SampleCredentials.IdentityProvider,
            Resource = "https://all-fields.example/mcp",
            Scopes = ["mcp:tools", "mcp:read"],
            IssuedAt = SampleCredentials.At(11),
            ExpiresAt = SampleCredentials.At(13),
            CanRenew = true,
            TokenType = "DPoP",
            RenewalUncertain = true,
            RenewalBegan = SampleCredentials.At(11, 50),
            Pending = true,
            RenewalRefused = new()
            {
                At = SampleCredentials.At(11, 51),
                Status = 400,
                Error = "invalid_scope",
                Fingerprint = "00112233445566778899aabbccddeeff",
            },
            RenewalFailed = new() { At = SampleCredentials.At(11, 52), Reason = "The issuer answered 503." },
            AnsweredAnonymously = true,
            HeaderNames = ["X-Api-Key"],
            HasClientSecret = true,
        },
        ["expiring"] = OAuth("expiring") with { SignedInBy = SignedInBy.Person, ExpiresAt = SampleCredentials.At(12, 2), CanRenew = true },
        ["expired"] = OAuth("expired") with { SignedInBy = SignedInBy.Client, ExpiresAt = SampleCredentials.At(11, 30), CanRenew = true },
        ["unknown"] = OAuth("unknown") with { SignedInBy = SignedInBy.Workload, CanRenew = true },
        ["bearer"] = new() { Vault = "file", Kind = CredentialKind.Bearer, Url = "https://bearer.example/mcp" },
        ["open"] = new() { Kind = CredentialKind.None, Url = "https://open.example/mcp", AnsweredAnonymously = true },
    };

    public static (string Item, IdentitySessionInfo Facts) Identity => ("mcpsmidp-d168fcd02265184e", new()
    {
        Issuer = SampleCredentials.IdentityProvider,
        Vault = "file",
        ClientId = "made-up-idp-client",
        SignedInAt = SampleCredentials.At(9),
        ExpiresAt = SampleCredentials.At(13),
        CanRenew = true,
        RenewalBegan = SampleCredentials.At(11, 50),
        Pending = true,
        RenewalRefused = new() { At = SampleCredentials.At(11, 51), Status = 401, Error = "invalid_client", Fingerprint = "ffeeddccbbaa99887766554433221100" },
        RenewalFailed = new() { At = SampleCredentials.At(11, 52), Reason = "The issuer answered 503." },
    });

    public static (string Item, RegistrationInfo Facts) Registration => ("mcpsmclient-ffb55acfff1cbc1b", new()
    {
        Issuer = SampleCredentials.Issuer,
        Vault = "file",
        Servers = ["all-fields", "expiring"],
        DoubtedClient = "made-up-forgotten-client",
    });

    public static (string Item, string Vault) Secret => ("mcpsmsecret-6d3c6b7b0b72f43ecc9b1410ed669836", "secret-service");
}
