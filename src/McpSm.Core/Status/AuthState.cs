namespace McpSm.Core;

public enum AuthState
{
    /// <summary>There is no credential.</summary>
    NotAuthenticated,
    /// <summary>The token is valid.</summary>
    Authenticated,
    /// <summary>The token expires within 5 minutes, or within a tenth of its lifetime if that is less.</summary>
    ExpiringSoon,
    /// <summary>The token has expired.</summary>
    Expired,
    /// <summary>A bearer token is set.</summary>
    BearerToken,
    /// <summary>OAuth is off and no token is set, or the server answered without a credential.</summary>
    NoAuth,
    /// <summary>The issuer gave no lifetime, or the index of credentials cannot be read.</summary>
    Unknown,
}
