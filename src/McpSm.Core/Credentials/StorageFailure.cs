using McpSm.Core.Errors;

namespace McpSm.Core.Credentials;

/// <summary>Why something that an issuer gave for good is not kept as it should be.</summary>
/// <param name="Vault">The name of its vault.</param>
/// <param name="File">The name of the file in which it waits.</param>
internal sealed record StorageFailure(StorageOutcome Outcome, McpAuthException Cause, string Vault, string File)
{
    /// <summary>What to tell, with the reason of the failed write.</summary>
    /// <param name="what">What was to be kept, as the subject of a sentence.</param>
    /// <param name="retry">The step that writes it to its vault, or gets another.</param>
    public McpAuthException ToException(string what, Remedy retry) => new(Cause.Reason, Outcome switch
    {
        StorageOutcome.Pending => $"{what} waits in {File}, because the vault '{UntrustedText.Sanitize(Vault)}' could not be written. {Cause.Message}",
        StorageOutcome.WithoutIndexEntry => $"{what} is kept, but credentials.json could not be updated: the status may show the one before. {Cause.Message}",
        _ => $"{what} could not be kept, and nothing else renews it. {Cause.Message}",
    }, Outcome == StorageOutcome.WithoutIndexEntry ? Cause.Remedy : Cause.Remedy is null ? retry : $"{Cause.Remedy} Then: {retry}", Cause)
    { Vault = Cause.Vault };
}
