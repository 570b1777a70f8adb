namespace McpSm.Core.Errors.Steps;

/// <summary>What an option of a step sets. Each program spells it its own way.</summary>
public enum StepOptionKind
{
    /// <summary>The id of a client that is registered at the issuer.</summary>
    ClientId,
    /// <summary>The client's secret, from a place that no list of processes shows.</summary>
    ClientSecret,
    /// <summary>Sign in as the client itself (RFC 6749 section 4.4).</summary>
    ClientCredentials,
    /// <summary>Sign in as the managed identity of an Azure machine.</summary>
    ManagedIdentity,
    /// <summary>The file with a workload's assertion (RFC 7523).</summary>
    AssertionFile,
    /// <summary>The environment variable with a workload's assertion (RFC 7523).</summary>
    AssertionVariable,
    /// <summary>The identity provider that vouches for the person.</summary>
    IdentityProvider,
    /// <summary>The issuer to use.</summary>
    Issuer,
    /// <summary>The scopes to ask for.</summary>
    Scope,
    /// <summary>The name of a header to give another value.</summary>
    Header,
    /// <summary>The name of a parameter to leave out of the authorization URL.</summary>
    AuthorizeParameter,
    /// <summary>Turn signing in on.</summary>
    OAuthOn,
    /// <summary>Allow the default endpoints of the revision 2025-03-26.</summary>
    AllowLegacyEndpoints,
    /// <summary>Bind tokens to a key (RFC 9449): <c>always</c> or <c>never</c>.</summary>
    DPoP,
    /// <summary>The server's URL.</summary>
    Url,
    /// <summary>The local port that the browser comes back to.</summary>
    CallbackPort,
    /// <summary>How many seconds to wait for the sign-in.</summary>
    Timeout,
    /// <summary>Show the URL instead of opening a browser.</summary>
    NoBrowser,
    /// <summary>Sign in with a code on another device (RFC 8628).</summary>
    DeviceCode,
    /// <summary>The vault to keep credentials in.</summary>
    Vault,
}
