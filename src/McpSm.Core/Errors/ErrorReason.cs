namespace McpSm.Core.Errors;

/// <summary>Why Core failed. Scripts match the error ids (<see cref="ErrorId"/>), and the names of the members in <c>Exception.Reason</c>.</summary>
public enum ErrorReason
{
    /// <summary>No server of that id or name is in the catalog.</summary>
    ServerNotFound,
    /// <summary>The catalog has a server of that name.</summary>
    ServerAlreadyExists,
    /// <summary>Not a URL a remote MCP server can have.</summary>
    InvalidServerUrl,
    /// <summary>Not a name a server can have.</summary>
    InvalidServerName,
    /// <summary>A value that was given cannot be used: a header, a token, an option.</summary>
    InvalidValue,
    /// <summary>The server's <c>oauth</c> is off.</summary>
    OAuthDisabled,

    /// <summary>There is no usable credential: sign in.</summary>
    AuthenticationRequired,
    /// <summary>A person must answer and nobody can.</summary>
    InteractionRequired,
    /// <summary>The issuer no longer takes the refresh token (RFC 6749 section 5.2, <c>invalid_grant</c>).</summary>
    RefreshTokenRejected,
    /// <summary>The server does not take the token (RFC 6750 section 3.1, <c>invalid_token</c>).</summary>
    TokenRejected,
    /// <summary>The issuer does not take this client: its id, its secret or its key (RFC 6749 section 5.2, <c>invalid_client</c>).</summary>
    ClientRejected,
    /// <summary>The issuer does not take the assertion of who is asking (RFC 7523 section 3.1, <c>invalid_grant</c>).</summary>
    AssertionRejected,
    /// <summary>The issuer, or the person there, said no (RFC 6749 section 4.1.2.1).</summary>
    AuthorizationDenied,
    /// <summary>The token lacks a scope (RFC 6750 section 3.1, <c>insufficient_scope</c>).</summary>
    InsufficientScope,

    /// <summary>Answers came back with a missing or foreign <c>state</c> (RFC 6749 section 10.12).</summary>
    StateMismatch,
    /// <summary>Metadata or an answer names another issuer (RFC 8414 section 3.3, RFC 9207 section 2.4).</summary>
    IssuerMismatch,
    /// <summary>The resource metadata describes another resource (RFC 9728 section 3.3).</summary>
    ResourceMismatch,
    /// <summary>The issuer does not advertise PKCE with S256 (RFC 7636).</summary>
    PkceUnsupported,
    /// <summary>A URL that must not be visited, or not with a secret.</summary>
    UnsafeEndpoint,

    /// <summary>Nobody finished the sign-in in time.</summary>
    AuthenticationTimeout,
    /// <summary>The server or the issuer cannot be reached, or did not answer in time.</summary>
    ServerUnreachable,
    /// <summary>The port of the redirect is taken.</summary>
    CallbackPortInUse,
    /// <summary>Metadata cannot be used: absent, not JSON, incomplete.</summary>
    MetadataInvalid,
    /// <summary>A token answer cannot be used (RFC 6749 section 5.1).</summary>
    TokenResponseInvalid,
    /// <summary>The other side does not speak the protocol.</summary>
    ProtocolViolation,
    /// <summary>The issuer refused to register this client, or offers no registration (RFC 7591 section 3.2.2).</summary>
    ClientRegistrationFailed,

    /// <summary>The vault cannot be used here.</summary>
    VaultUnavailable,
    /// <summary>The vault is there and locked, or the passphrase is wrong.</summary>
    VaultLocked,
    /// <summary>What the vault holds is damaged.</summary>
    VaultCorrupt,
    /// <summary>The secret is larger than the vault can hold.</summary>
    SecretTooLarge,
    /// <summary>There is no secret of that name.</summary>
    SecretNotFound,
    /// <summary>The SecretManagement module is not installed.</summary>
    SecretManagementMissing,
    /// <summary>A file of the configuration folder does not parse.</summary>
    ConfigurationCorrupt,
    /// <summary>The configuration folder cannot be read or written.</summary>
    ConfigurationUnavailable,
}
