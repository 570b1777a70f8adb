namespace McpSm.Core.Errors;

/// <summary>
/// The reason for an error of Core. Scripts match the error ids (<see cref="ErrorId"/>) and the member names in <c>Exception.Reason</c>.
/// </summary>
public enum ErrorReason
{
    /// <summary>The catalog has no server with this id or name.</summary>
    ServerNotFound,
    /// <summary>The catalog already has a server with this name.</summary>
    ServerAlreadyExists,
    /// <summary>The URL cannot be the URL of a remote MCP server.</summary>
    InvalidServerUrl,
    /// <summary>The name cannot be the name of a server.</summary>
    InvalidServerName,
    /// <summary>A value, such as a header, a token or an option, is invalid.</summary>
    InvalidValue,
    /// <summary>The server's <c>oauth</c> setting is off.</summary>
    OAuthDisabled,

    /// <summary>A usable credential does not exist. The user has to sign in.</summary>
    AuthenticationRequired,
    /// <summary>The operation needs a person to answer, and the session is not interactive.</summary>
    InteractionRequired,
    /// <summary>The issuer rejects the refresh token (RFC 6749 section 5.2, <c>invalid_grant</c>).</summary>
    RefreshTokenRejected,
    /// <summary>The server rejects the access token (RFC 6750 section 3.1, <c>invalid_token</c>).</summary>
    TokenRejected,
    /// <summary>The issuer rejects the client: its id, secret or key (RFC 6749 section 5.2, <c>invalid_client</c>).</summary>
    ClientRejected,
    /// <summary>The issuer rejects the assertion (RFC 7523 section 3.1, <c>invalid_grant</c>).</summary>
    AssertionRejected,
    /// <summary>The issuer or the user denied the authorization (RFC 6749 section 4.1.2.1).</summary>
    AuthorizationDenied,
    /// <summary>The token lacks a scope (RFC 6750 section 3.1, <c>insufficient_scope</c>).</summary>
    InsufficientScope,

    /// <summary>Callbacks arrived with a missing or wrong <c>state</c> (RFC 6749 section 10.12).</summary>
    StateMismatch,
    /// <summary>The metadata or the authorization response names another issuer (RFC 8414 section 3.3, RFC 9207 section 2.4).</summary>
    IssuerMismatch,
    /// <summary>The resource metadata describes another resource (RFC 9728 section 3.3).</summary>
    ResourceMismatch,
    /// <summary>The issuer does not advertise PKCE with S256 (RFC 7636).</summary>
    PkceUnsupported,
    /// <summary>Mcpsm must not visit the URL, or must not send a secret to it.</summary>
    UnsafeEndpoint,

    /// <summary>The user did not finish the sign-in in time.</summary>
    AuthenticationTimeout,
    /// <summary>The server or the issuer is unreachable or did not respond in time.</summary>
    ServerUnreachable,
    /// <summary>Another process uses the port of the redirect URI.</summary>
    CallbackPortInUse,
    /// <summary>The metadata is missing, incomplete or not JSON.</summary>
    MetadataInvalid,
    /// <summary>The token response is invalid (RFC 6749 section 5.1).</summary>
    TokenResponseInvalid,
    /// <summary>The server or the issuer does not follow the protocol.</summary>
    ProtocolViolation,
    /// <summary>The issuer rejected the registration of the client, or does not offer registration (RFC 7591 section 3.2.2).</summary>
    ClientRegistrationFailed,

    /// <summary>The vault cannot be used on this system.</summary>
    VaultUnavailable,
    /// <summary>The vault is locked, or the passphrase is wrong.</summary>
    VaultLocked,
    /// <summary>The content of the vault is damaged.</summary>
    VaultCorrupt,
    /// <summary>The secret is larger than the vault can hold.</summary>
    SecretTooLarge,
    /// <summary>A secret with this name does not exist.</summary>
    SecretNotFound,
    /// <summary>The SecretManagement module is not installed.</summary>
    SecretManagementMissing,
    /// <summary>A file in the configuration folder cannot be parsed.</summary>
    ConfigurationCorrupt,
    /// <summary>The configuration folder cannot be read or written.</summary>
    ConfigurationUnavailable,
}
