using System.Text.Json;
using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Management;

namespace McpSm.ConformanceClient;

/// <summary>The settings of a scenario's server, as a user would add them, and the expected result.</summary>
internal static class Scenario
{
    /// <summary>The scenario without a sign-in at the identity provider: another program signed in and passes the ID token on.</summary>
    private const string IdentityProvider = "auth/enterprise-managed-authorization";

    /// <param name="context">The data of the scenario as JSON; null if it has none.</param>
    public static ServerUpdate Server(string scenario, string url, string? context)
    {
        var data = scenario is "auth/pre-registration" or IdentityProvider ? Parse(context) : default;
        return new ServerUpdate
        {
            Name = "conformance",
            Url = url,
            ClientId = Text(data, "client_id"),
            ClientSecret = Text(data, "client_secret"),
            // The client metadata document that the issuer of the suite knows. In other scenarios the client registers itself.
            ClientMetadataUrl = scenario == "auth/basic-cimd" ? "https://conformance-test.local/client-metadata.json" : null,
            AllowLegacyEndpoints = scenario == "auth/2025-03-26-oauth-endpoint-fallback",
        };
    }

    /// <summary>Returns the credentials of the scenario's client or workload; null if a person signs in.</summary>
    /// <param name="folder">The folder for the assertion of a workload.</param>
    public static ClientCredentials? Client(string scenario, string? context, string folder)
    {
        if (scenario == "auth/wif-jwt-bearer")
        {
            var job = Parse(context);
            var file = Path.Combine(folder, "assertion");
            File.WriteAllText(file, Text(job, "valid_jwt"));
            return new ClientCredentials(Text(job, "client_id"), Assertion: WorkloadAssertionSource.FromFile(file));
        }
        if (!scenario.StartsWith("auth/client-credentials", StringComparison.Ordinal))
        {
            return null;
        }
        var data = Parse(context);
        return new ClientCredentials(Text(data, "client_id"), Text(data, "client_secret"),
            Text(data, "private_key_pem") is { } pem ? ClientKey.FromPem(pem) : null);
    }

    /// <summary>Returns the identity provider and its ID token; null if the scenario has none.</summary>
    public static async Task<string?> SignInToIdentityProviderAsync(string scenario, string? context, Authenticator authenticator)
    {
        if (scenario != IdentityProvider)
        {
            return null;
        }
        var data = Parse(context);
        var provider = Text(data, "idp_issuer")!;
        await authenticator.IdentityProviders.StoreIdTokenAsync(provider, Text(data, "idp_client_id"), Text(data, "idp_id_token")!,
            null, CancellationToken.None);
        return provider;
    }

    /// <summary>
    /// The error that the sign-in must fail with; null if it must succeed. The suite itself accepts any failure.
    /// </summary>
    public static ErrorReason? Refusal(string scenario) => scenario switch
    {
        "auth/resource-mismatch" => ErrorReason.ResourceMismatch,
        "auth/scope-retry-limit" => ErrorReason.InsufficientScope,
        "auth/iss-supported-missing" or "auth/iss-wrong-issuer" or "auth/iss-unexpected" or "auth/iss-normalized"
            or "auth/metadata-issuer-mismatch" => ErrorReason.IssuerMismatch,
        _ => null,
    };

    private static JsonElement Parse(string? context) =>
        JsonDocument.Parse(context ?? throw new InvalidOperationException("The scenario has no data.")).RootElement;

    private static string? Text(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) ? value.GetString() : null;
}
