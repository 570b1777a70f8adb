using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>
/// A permanent refusal to renew that does not mean that the refresh token has ended. The token stays stored, but is not sent again for
/// a while. The record is in the index, so that every process knows it.
/// </summary>
internal sealed record RefusedRenewal
{
    /// <summary>How long the refresh token is not sent after a refusal. An explicit request of a person ignores it.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromMinutes(15);

    [JsonPropertyName("at")]
    public required DateTimeOffset At { get; init; }

    /// <summary>The HTTP status of the response.</summary>
    [JsonPropertyName("status")]
    public required int Status { get; init; }

    /// <summary>The sanitized OAuth <c>error</c> of the response; null if it had none.</summary>
    [JsonPropertyName("error")]
    public string? Error { get; init; }

    /// <summary>Identifies the request that was refused: <see cref="FingerprintOf"/>.</summary>
    [JsonPropertyName("mark")]
    public required string Fingerprint { get; init; }

    /// <summary>
    /// Identifies a renewal by its refresh token, client, secret, issuer and endpoint, and reveals none of them: the refresh token, which the
    /// index does not contain, is the key of the HMAC.
    /// </summary>
    internal static string FingerprintOf(string refreshToken, params IEnumerable<string?> sentWith) => Convert.ToHexStringLower(
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(refreshToken), Encoding.UTF8.GetBytes(string.Join('\n', sentWith))))[..32];

    /// <summary>Creates the record of a refusal; null if a retry may get another answer (RFC 6749 section 5.2, RFC 9449 section 8).</summary>
    internal static RefusedRenewal? Create(McpAuthException e, DateTimeOffset now, string fingerprint) => e is
    {
        OutcomeUnknown: false,
        StatusCode: >= 400 and < 500 and not (407 or 408 or 425 or 429) and var status,
        OAuthError: not ("server_error" or "temporarily_unavailable" or "slow_down" or "use_dpop_nonce"),
    } ? new RefusedRenewal { At = now, Status = status, Error = e.OAuthError, Fingerprint = fingerprint } : null;

    /// <summary>Returns whether the same renewal should not be sent now.</summary>
    internal bool AppliesTo(DateTimeOffset now, string fingerprint) =>
        Fingerprint == fingerprint && now - At is var age && age >= TimeSpan.Zero && age < RetryDelay;

    /// <summary>The status and the error as text.</summary>
    internal string Describe => ChallengeProbe.DescribeStatus(Status) + (Error is { Length: > 0 } error ? $", {UntrustedText.Sanitize(error)}" : "");

    /// <summary>Creates the error to throw instead of sending the refresh token again.</summary>
    internal McpAuthException AsError(McpServer server, string? resource) => new(
        Error is "invalid_client" or "unauthorized_client" ? ErrorReason.ClientRejected : ErrorReason.AuthenticationRequired,
            $"The issuer refused to renew the token of '{server.Name}' at {At.ToLocalTime():HH:mm} ({Describe}). "
                + $"Mcpsm does not ask again before {(At + RetryDelay).ToLocalTime():HH:mm}.",
        Remedy(server, resource))
    { Server = server.Name, OAuthError = Error, StatusCode = Status };

    /// <summary>Returns the next command, from the index alone. <paramref name="resource"/> is the resource that the token is for.</summary>
    internal Remedy Remedy(McpServer server, string? resource)
    {
        var login = CredentialRemedy.ForNewCredential(server);
        return Error switch
        {
            "invalid_scope" => new UpdateServerStep(server, StepOptionKind.Scope),
            "invalid_target" => $"Ask the operator of the issuer to accept the resource {UntrustedText.Sanitize(resource ?? server.Url)}, then: {login}",
            "invalid_client" or "unauthorized_client" when server.ClientId is { } client => $"If its secret has changed: "
                + $"{new UpdateServerStep(server, new StepOption(StepOptionKind.ClientId, client), StepOptionKind.ClientSecret)}",
            _ => login,
        };
    }
}
