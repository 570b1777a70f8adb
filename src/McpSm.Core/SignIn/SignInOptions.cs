using McpSm.Core.Discovery;
using McpSm.Core.Grants;

namespace McpSm.Core.SignIn;

/// <summary>How to sign in.</summary>
public sealed record SignInOptions
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(5);

    public bool NoBrowser { get; init; }
    public bool UseDeviceCode { get; init; }

    /// <summary>
    /// Parameters to add to the authorization URL of this sign-in, in addition to those of the server. An empty value leaves a parameter of the
    /// server out. Not used in a sign-in with a device code.
    /// </summary>
    public IReadOnlyDictionary<string, string> AuthorizeParams { get; init; } = AuthorizeParameters.None;

    /// <summary>The port that the browser returns to; 0 for any free port, null for the port of the settings or 8888.</summary>
    public int? CallbackPort { get; init; }

    /// <summary>
    /// The client that signs in without a person (RFC 6749 section 4.4), or a workload with its assertion (RFC 7523 section 2.1). Members that are
    /// null are read from the variables MCPSM_CLIENT_ID, MCPSM_CLIENT_SECRET and MCPSM_CLIENT_KEY_FILE, or from the stored credential.
    /// </summary>
    public ClientCredentials? ClientCredentials { get; init; }

    /// <summary>
    /// The issuer identifier of the identity provider that vouches for the person (rule 34 of docs/rules.md). Null for the provider of the last
    /// sign-in, or else for the provider of the settings, if the server's issuer advertises that it accepts assertions.
    /// </summary>
    public string? IdentityProvider { get; init; }

    /// <summary>
    /// Whether the user named this server. A server chooses its issuer, so a secret from the environment, which belongs to no server, is sent only
    /// for a server that the user named, or that is known to have that client.
    /// </summary>
    public bool NamedByUser { get; init; } = true;

    public TimeSpan Timeout { get; init; } = DefaultTimeout;
    public string? Vault { get; init; }
}
