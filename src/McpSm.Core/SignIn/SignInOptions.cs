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
    /// What to add to the authorization URL this once, beside what is set for the server; an empty value leaves out what is set. Not used
    /// in a sign-in by device code.
    /// </summary>
    public IReadOnlyDictionary<string, string> AuthorizeParams { get; init; } = AuthorizeParameters.None;

    /// <summary>The port asked for; 0 is any, null the setting or 8888.</summary>
    public int? CallbackPort { get; init; }

    /// <summary>
    /// Signs in a client of its own, without a person (RFC 6749 section 4.4). What is null in it is taken from the
    /// variables MCPSM_CLIENT_ID, MCPSM_CLIENT_SECRET and MCPSM_CLIENT_KEY_FILE, or from what is kept for the server. Or a
    /// workload, with its assertion (RFC 7523 section 2.1).
    /// </summary>
    public ClientCredentials? ClientCredentials { get; init; }

    /// <summary>
    /// The issuer identifier of the identity provider that is to vouch for the person (rule 34 of docs/rules.md). Null: the one that did
    /// before, or the one that is set, where the server's issuer says that it takes its word.
    /// </summary>
    public string? IdentityProvider { get; init; }

    /// <summary>
    /// Whether the user named this very server. A server chooses its issuer: a secret from the environment, which
    /// belongs to no server, goes to none that was not named, unless the server is known to have that client.
    /// </summary>
    public bool NamedByUser { get; init; } = true;

    public TimeSpan Timeout { get; init; } = DefaultTimeout;
    public string? Vault { get; init; }
}
