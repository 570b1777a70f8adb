using System.Globalization;
using McpSm.Core;

namespace McpSm.Commands.Output;

/// <summary>How states and times are said.</summary>
internal static class StatusText
{
    public const string SuccessSymbol = "✔";
    public const string FailureSymbol = "✘";

    public static string Describe(McpAuthStatus status, DateTimeOffset now)
    {
        var expires = Expiry(status, now);
        var said = status.State switch
        {
            AuthState.Authenticated => $"{SuccessSymbol} Authenticated{expires}",
            AuthState.ExpiringSoon => $"{SuccessSymbol} Authenticated{expires}",
            AuthState.Expired => $"{FailureSymbol} Expired ({Date(status.ExpiresAt!.Value)}{(status is { CanRenew: true, RenewalRefusedAt: null } ? ", can be renewed" : "")})",
            AuthState.BearerToken => $"{SuccessSymbol} Bearer token set",
            AuthState.NoAuth => "○ No authentication needed",
            AuthState.Unknown => status.Kind == McpSm.Core.Credentials.CredentialKind.OAuth
                ? $"{SuccessSymbol} Authenticated{expires}" : "? Unknown",
            _ => $"{FailureSymbol} Not authenticated",
        };
        return said + (status.RenewalRefusedAt is not null ? " (the issuer refused to renew it)" : "")
            + (status.Pending ? " (waits to be kept in its vault)" : status.RenewalUncertain ? " (the last renewal was cut off)" : "");
    }

    /// <summary><c> (expires: …)</c>; nothing for what does not expire.</summary>
    public static string Expiry(McpAuthStatus status, DateTimeOffset now) =>
        status.ExpiresAt is { } end ? $" (expires: {FormatTime(end, now)})"
        : status.Kind == McpSm.Core.Credentials.CredentialKind.OAuth ? " (expires: unknown)" : "";

    public static string FormatTime(DateTimeOffset end, DateTimeOffset now)
    {
        var left = end - now;
        return left >= TimeSpan.FromDays(1) ? Date(end)
            : left >= TimeSpan.FromMinutes(90) ? $"in {Math.Round(left.TotalHours):0} h"
            : left >= TimeSpan.FromSeconds(60) ? $"in {Math.Floor(left.TotalMinutes):0} min"
            : $"in {Math.Max(0, Math.Floor(left.TotalSeconds)):0} s";
    }

    private static string Date(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
