using McpSm.Core.Errors;

namespace McpSm.Core.Credentials;

/// <summary>The failure to store tokens that an issuer will not give again.</summary>
/// <param name="Outcome">Where the tokens are now.</param>
/// <param name="Cause">The error of the failed write.</param>
/// <param name="Vault">The name of the vault.</param>
/// <param name="File">The name of the file for pending items.</param>
internal sealed record StorageFailure(StorageOutcome Outcome, McpAuthException Cause, string Vault, string File)
{
    /// <summary>Creates the error for the user.</summary>
    /// <param name="subject">What was to be stored, as the subject of a sentence.</param>
    /// <param name="retry">The step that writes the tokens to the vault, or gets new ones.</param>
    public McpAuthException ToException(string subject, Remedy retry) => new(Cause.Reason, Outcome switch
    {
        StorageOutcome.Pending => $"{subject} waits in {File}, because the vault '{UntrustedText.Sanitize(Vault)}' could not be written. {Cause.Message}",
        StorageOutcome.WithoutIndexEntry => $"{subject} is stored, but credentials.json could not be updated, so the status may be stale. {Cause.Message}",
        _ => $"{subject} could not be stored, so it cannot be renewed. {Cause.Message}",
    }, Outcome == StorageOutcome.WithoutIndexEntry ? Cause.Remedy : Cause.Remedy is null ? retry : $"{Cause.Remedy} Then: {retry}", Cause)
    { Vault = Cause.Vault };
}
