using McpSm.Core.Errors;

namespace McpSm.Commands;

/// <summary>The exit codes of <c>mcpsm</c>. They are stable.</summary>
public static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int SignInNeeded = 4;
    public const int Cancelled = 130;

    public static int Of(ErrorReason reason) => reason switch
    {
        ErrorReason.AuthenticationRequired or ErrorReason.InteractionRequired or ErrorReason.RefreshTokenRejected
            or ErrorReason.ClientRejected or ErrorReason.AssertionRejected => SignInNeeded,
        ErrorReason.InvalidServerUrl or ErrorReason.InvalidServerName or ErrorReason.InvalidValue => WrongUsage,
        _ => Failed,
    };
}
