namespace McpSm.Core.Errors.Steps;

/// <summary>What an option of a step sets. Each program has its own spelling for it.</summary>
internal enum StepOptionKind
{
    /// <summary>The id of a client that is registered with the issuer.</summary>
    ClientId,
    /// <summary>The client's secret, from a source that process lists do not show.</summary>
    ClientSecret,
    /// <summary>Sign in as the client (RFC 6749 section 4.4).</summary>
    ClientCredentials,
    /// <summary>Sign in with the managed identity of an Azure resource.</summary>
    ManagedIdentity,
    /// <summary>The file that contains a workload's assertion (RFC 7523).</summary>
    AssertionFile,
    /// <summary>The environment variable that contains a workload's assertion (RFC 7523).</summary>
    AssertionVariable,
    /// <summary>The identity provider that issues assertions about the user.</summary>
    IdentityProvider,
    /// <summary>The issuer to use.</summary>
    Issuer,
    /// <summary>The scopes to request.</summary>
    Scope,
    /// <summary>The name of a header that needs a new value.</summary>
    Header,
    /// <summary>The name of a parameter to remove from the authorization URL.</summary>
    AuthorizeParameter,
    /// <summary>Turn on sign-in for the server.</summary>
    OAuthOn,
    /// <summary>Allow the default endpoints of MCP revision 2025-03-26.</summary>
    AllowLegacyEndpoints,
    /// <summary>Bind tokens to a key (RFC 9449): <c>always</c> or <c>never</c>.</summary>
    DPoP,
    /// <summary>The server's URL.</summary>
    Url,
    /// <summary>The local port of the redirect URI.</summary>
    CallbackPort,
    /// <summary>How many seconds to wait for the sign-in.</summary>
    Timeout,
    /// <summary>Show the URL instead of opening a browser.</summary>
    NoBrowser,
    /// <summary>Sign in by entering a code on another device (RFC 8628).</summary>
    DeviceCode,
    /// <summary>The vault that stores the credentials.</summary>
    Vault,
}
