namespace McpSm.Core;

public enum AuthState
{
    /// <summary>No credential.</summary>
    NotAuthenticated,
    /// <summary>A token with time left.</summary>
    Authenticated,
    /// <summary>Less than min(5 minutes, 10 % of the lifetime) left.</summary>
    ExpiringSoon,
    /// <summary>No time left.</summary>
    Expired,
    /// <summary>A bearer token is set.</summary>
    BearerToken,
    /// <summary>OAuth is off and no token is set, or the server was seen to ask for none.</summary>
    NoAuth,
    /// <summary>The issuer gave no lifetime, or the facts cannot be read.</summary>
    Unknown,
}
