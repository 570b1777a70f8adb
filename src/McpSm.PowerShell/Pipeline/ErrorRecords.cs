using System.Management.Automation;
using McpSm.Core.Errors;
using McpSm.PowerShell.Remedies;

namespace McpSm.PowerShell.Pipeline;

/// <summary>Converts exceptions of Core to error records. Scripts depend on the ids and categories, so they never change.</summary>
internal static class ErrorRecords
{
    /// <summary>Returns the error record of an exception, with its remedy as the recommended action.</summary>
    /// <param name="e">The exception.</param>
    /// <param name="server">The target object if the exception does not name a server.</param>
    public static ErrorRecord Create(McpAuthException e, string? server) =>
        new(e, ErrorId.Of(e.Reason), Category(e.Reason), e.Server ?? server ?? e.Vault)
        {
            ErrorDetails = e.Remedy is null ? null : new ErrorDetails(e.Message) { RecommendedAction = CmdletRemedyFormatter.Instance.Format(e.Remedy) },
        };

    private static ErrorCategory Category(ErrorReason reason) => reason switch
    {
        ErrorReason.ServerNotFound or ErrorReason.SecretNotFound => ErrorCategory.ObjectNotFound,
        ErrorReason.ServerAlreadyExists => ErrorCategory.ResourceExists,
        ErrorReason.InvalidServerUrl or ErrorReason.InvalidServerName or ErrorReason.InvalidValue => ErrorCategory.InvalidArgument,
        ErrorReason.AuthenticationRequired or ErrorReason.InteractionRequired or ErrorReason.RefreshTokenRejected
            or ErrorReason.TokenRejected or ErrorReason.ClientRejected or ErrorReason.AssertionRejected => ErrorCategory.AuthenticationError,
        ErrorReason.AuthorizationDenied or ErrorReason.InsufficientScope => ErrorCategory.PermissionDenied,
        ErrorReason.StateMismatch or ErrorReason.IssuerMismatch or ErrorReason.ResourceMismatch
            or ErrorReason.PkceUnsupported or ErrorReason.UnsafeEndpoint => ErrorCategory.SecurityError,
        ErrorReason.AuthenticationTimeout => ErrorCategory.OperationTimeout,
        ErrorReason.ServerUnreachable => ErrorCategory.ConnectionError,
        ErrorReason.CallbackPortInUse => ErrorCategory.ResourceBusy,
        ErrorReason.MetadataInvalid or ErrorReason.TokenResponseInvalid or ErrorReason.VaultCorrupt
            or ErrorReason.ConfigurationCorrupt => ErrorCategory.InvalidData,
        ErrorReason.ProtocolViolation => ErrorCategory.ProtocolError,
        ErrorReason.ClientRegistrationFailed or ErrorReason.OAuthDisabled => ErrorCategory.InvalidOperation,
        ErrorReason.VaultUnavailable or ErrorReason.VaultLocked or ErrorReason.ConfigurationUnavailable
            => ErrorCategory.ResourceUnavailable,
        ErrorReason.SecretTooLarge => ErrorCategory.LimitsExceeded,
        ErrorReason.SecretManagementMissing => ErrorCategory.NotInstalled,
        _ => ErrorCategory.NotSpecified,
    };
}
