using System.Globalization;
using McpSm.Core;

namespace McpSm.Commands.Output;

/// <summary>Describes states and times for people.</summary>
internal static class StatusText
{
    public const string SuccessSymbol = "✔";
    public const string FailureSymbol = "✘";

    public static string Describe(McpAuthStatus status, DateTimeOffset now)
    {
        var expires = Expiry(status, now);
        var state = status.State switch
        {
            AuthState.Authenticated => $"{SuccessSymbol} Authenticated{expires}",
            AuthState.ExpiringSoon => $"{SuccessSymbol} Authenticated{expires}",
            AuthState.Expired when status is { CanRenew: true, RenewalRefusedAt: null } =>
                $"{FailureSymbol} Expired ({Date(status.ExpiresAt!.Value)}, can be renewed)",
            AuthState.Expired => $"{FailureSymbol} Expired ({Date(status.ExpiresAt!.Value)})",
            AuthState.BearerToken => $"{SuccessSymbol} Bearer token set",
            AuthState.NoAuth => "○ No authentication needed",
            AuthState.Unknown => status.Kind == McpSm.Core.Credentials.CredentialKind.OAuth
                ? $"{SuccessSymbol} Authenticated{expires}" : "? Unknown",
            _ => $"{FailureSymbol} Not authenticated",
        };
        return state + (status.RenewalRefusedAt is not null ? " (the issuer refused to renew it)" : "")
            + (status.Pending ? " (waiting for its vault)" : status.RenewalUncertain ? " (the last renewal was interrupted)" : "");
    }

    /// <summary>Returns <c> (expires: …)</c>, or an empty text for a credential that does not expire.</summary>
    public static string Expiry(McpAuthStatus status, DateTimeOffset now) =>
        status.ExpiresAt is { } end ? $" (expires: {FormatTime(end, now)})"
        : status.Kind == McpSm.Core.Credentials.CredentialKind.OAuth ? " (expires: unknown)" : "";

    public static string FormatTime(DateTimeOffset end, DateTimeOffset now)
    {
        var remaining = end - now;
        return remaining >= TimeSpan.FromDays(1) ? Date(end)
            : remaining >= TimeSpan.FromMinutes(90) ? $"in {Math.Round(remaining.TotalHours):0} h"
            : remaining >= TimeSpan.FromSeconds(60) ? $"in {Math.Floor(remaining.TotalMinutes):0} min"
            : $"in {Math.Max(0, Math.Floor(remaining.TotalSeconds)):0} s";
    }

    private static string Date(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
