using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Credentials;

/// <summary>The previous renewals of one credential, as recorded in the index.</summary>
/// <param name="Refused">The last permanent refusal.</param>
/// <param name="Failed">The last renewal without a usable answer.</param>
/// <param name="Began">When a renewal began that has not recorded its end.</param>
internal readonly record struct RenewalHistory(RefusedRenewal? Refused, FailedRenewal? Failed, DateTimeOffset? Began)
{
    public static RenewalHistory Read(CredentialInfo? info) => new(info?.RenewalRefused, info?.RenewalFailed, info?.RenewalBegan);

    public static RenewalHistory Read(IdentitySessionInfo? info) => new(info?.RenewalRefused, info?.RenewalFailed, info?.RenewalBegan);

    /// <summary>
    /// Returns why the renewal that this process waited for has failed; null if it has not. Sending the request again could spend a refresh
    /// token twice, and every waiting process would take as long again.
    /// </summary>
    /// <param name="before">The history from before this process waited.</param>
    /// <param name="subject">What is renewed, for the message.</param>
    public McpAuthException? EndedSince(RenewalHistory before, string subject) =>
        Failed is not null && Failed != before.Failed
        ? new McpAuthException(ErrorReason.ServerUnreachable,
                $"{UntrustedText.Sanitize(Failed.Reason)} Another process was renewing {subject}. This process waited, and did not send the request again.",
                "Check the network and the issuer, then try again.")
        : Began is not null
        ? new McpAuthException(ErrorReason.ServerUnreachable,
                $"Another process was renewing {subject}, and ended before the issuer answered. This process waited, and did not send the request again.",
                "Try again. The next command sends the request once.")
        : null;

    /// <summary>Creates the error for a lock that another process holds for too long; null if that process does not renew.</summary>
    public McpAuthException? Hangs(string subject) => Began is null ? null : new McpAuthException(ErrorReason.ServerUnreachable,
        $"Another process has been renewing {subject} for {FileLock.Limit.TotalSeconds:0} seconds, and the issuer has not answered.",
        "Wait for that process, then try again. Killing it now can sign you out.");
}
