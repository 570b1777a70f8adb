using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Credentials;

/// <summary>What the index says of the renewals before this one.</summary>
/// <param name="Began">When one began that has not said how it ended.</param>
internal readonly record struct RenewalHistory(RefusedRenewal? Refused, FailedRenewal? Failed, DateTimeOffset? Began)
{
    public static RenewalHistory Read(CredentialInfo? info) => new(info?.RenewalRefused, info?.RenewalFailed, info?.RenewalBegan);

    public static RenewalHistory Read(IdentitySessionInfo? info) => new(info?.RenewalRefused, info?.RenewalFailed, info?.RenewalBegan);

    /// <summary>
    /// Why the renewal that this process waited for has failed; null if it has not. To send the same again would spend a refresh
    /// token that may be spent, and keep all who wait for as long again.
    /// </summary>
    /// <param name="before">The same, from before this process waited.</param>
    /// <param name="what">What is renewed.</param>
    public McpAuthException? EndedSince(RenewalHistory before, string what) =>
        Failed is not null && Failed != before.Failed
        ? new McpAuthException(ErrorReason.ServerUnreachable,
            $"{UntrustedText.Sanitize(Failed.Reason)} Another process was renewing {what}; this one waited for it and did not send the same again.",
            "Check the network and the issuer, then try again.")
        : Began is not null
        ? new McpAuthException(ErrorReason.ServerUnreachable,
            $"Another process was renewing {what} and ended before it had the answer; this one waited for it and did not send the same again.",
            "Try again: the next command sends it once.")
        : null;

    /// <summary>What is told if another process keeps the lock for too long; null if it does not renew.</summary>
    public McpAuthException? Hangs(string what) => Began is null ? null : new McpAuthException(ErrorReason.ServerUnreachable,
        $"Another process has been renewing {what} for {FileLock.Limit.TotalSeconds:0} seconds, and the issuer does not answer it.",
        "Try again when that process has ended. To end it now may cost the sign-in.");
}
