namespace McpSm.Core.Errors;

/// <summary>
/// The error ids that scripts match, such as <c>ServerNotFound,McpSm.PowerShell.GetMcpServerCommand</c>. Each id is a literal, so that renaming a
/// member of <see cref="ErrorReason"/> does not change it.
/// </summary>
internal static class ErrorId
{
    /// <exception cref="ArgumentOutOfRangeException">The reason has no id.</exception>
    public static string Of(ErrorReason reason) => reason switch
    {
        ErrorReason.ServerNotFound => "ServerNotFound",
        ErrorReason.ServerAlreadyExists => "ServerAlreadyExists",
        ErrorReason.InvalidServerUrl => "InvalidServerUrl",
        ErrorReason.InvalidServerName => "InvalidServerName",
        ErrorReason.InvalidValue => "InvalidValue",
        ErrorReason.OAuthDisabled => "OAuthDisabled",
        ErrorReason.AuthenticationRequired => "AuthenticationRequired",
        ErrorReason.InteractionRequired => "InteractionRequired",
        ErrorReason.RefreshTokenRejected => "RefreshTokenRejected",
        ErrorReason.TokenRejected => "TokenRejected",
        ErrorReason.ClientRejected => "ClientRejected",
        ErrorReason.AssertionRejected => "AssertionRejected",
        ErrorReason.AuthorizationDenied => "AuthorizationDenied",
        ErrorReason.InsufficientScope => "InsufficientScope",
        ErrorReason.StateMismatch => "StateMismatch",
        ErrorReason.IssuerMismatch => "IssuerMismatch",
        ErrorReason.ResourceMismatch => "ResourceMismatch",
        ErrorReason.PkceUnsupported => "PkceUnsupported",
        ErrorReason.UnsafeEndpoint => "UnsafeEndpoint",
        ErrorReason.AuthenticationTimeout => "AuthenticationTimeout",
        ErrorReason.ServerUnreachable => "ServerUnreachable",
        ErrorReason.CallbackPortInUse => "CallbackPortInUse",
        ErrorReason.MetadataInvalid => "MetadataInvalid",
        ErrorReason.TokenResponseInvalid => "TokenResponseInvalid",
        ErrorReason.ProtocolViolation => "ProtocolViolation",
        ErrorReason.ClientRegistrationFailed => "ClientRegistrationFailed",
        ErrorReason.VaultUnavailable => "VaultUnavailable",
        ErrorReason.VaultLocked => "VaultLocked",
        ErrorReason.VaultCorrupt => "VaultCorrupt",
        ErrorReason.SecretTooLarge => "SecretTooLarge",
        ErrorReason.SecretNotFound => "SecretNotFound",
        ErrorReason.SecretManagementMissing => "SecretManagementMissing",
        ErrorReason.ConfigurationCorrupt => "ConfigurationCorrupt",
        ErrorReason.ConfigurationUnavailable => "ConfigurationUnavailable",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "The reason has no error id."),
    };
}
