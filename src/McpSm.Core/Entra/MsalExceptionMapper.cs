using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using Microsoft.Identity.Client;

namespace McpSm.Core.Entra;

/// <summary>
/// Maps the exceptions of MSAL to ours. Its messages and exceptions can contain whole responses, so neither is passed on. The error of the
/// issuer is read again from the response.
/// </summary>
internal static class MsalExceptionMapper
{
    private const string ManagedIdentityPrefix = "[Managed Identity] ";

    /// <summary>Runs one request of MSAL.</summary>
    /// <remarks><paramref name="sent"/> returns the secrets of the request, which are removed from the message.</remarks>
    /// <exception cref="McpAuthException">Replaces each exception of MSAL, except a cancellation by the caller.</exception>
    public static async Task<AuthenticationResult> MapAsync(Func<Task<AuthenticationResult>> ask, Func<IReadOnlyList<string?>> sent,
        CancellationToken cancellationToken)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not McpAuthException)
        {
            // MSAL wraps the cancellation of the browser in its own exception.
            cancellationToken.ThrowIfCancellationRequested();
            throw Map(e, sent());
        }
    }

    private static McpAuthException Map(Exception e, IReadOnlyList<string?> sent) => e switch
    {
        { InnerException: McpAuthException ours } => ours,
        MsalUiRequiredException { ResponseBody: null or "" } => new McpAuthException(ErrorReason.RefreshTokenRejected,
            "The stored credential has no refresh token for Microsoft Entra ID."),
        MsalUiRequiredException
        {
            Classification: UiRequiredExceptionClassification.BasicAction or UiRequiredExceptionClassification.AdditionalAction
            or UiRequiredExceptionClassification.MessageOnly or UiRequiredExceptionClassification.ConsentRequired
        } required => MapInteraction(required, sent),
        MsalUiRequiredException { ErrorCode: "interaction_required" or "login_required" or "consent_required" } required => MapInteraction(required, sent),
        MsalException { AdditionalExceptionData: var data } managed when data.ContainsKey(MsalException.ManagedIdentitySource) =>
            MapManagedIdentity(managed, sent),
        MsalServiceException { ErrorCode: "expired_token" } or MsalClientException { ErrorCode: MsalError.CodeExpired } => DeviceCodeGrant.Expired(),
        MsalServiceException { StatusCode: > 0 } service => TokenSet.Refused(service.StatusCode, Json(service.ResponseBody), sent),
        MsalClientException { ErrorCode: MsalError.AuthenticationCanceledError } => new McpAuthException(ErrorReason.AuthorizationDenied,
            "The sign-in was cancelled."),
        MsalClientException { ErrorCode: MsalError.CertificateNotRsa } => new McpAuthException(ErrorReason.InvalidValue,
            "Microsoft Entra ID accepts only certificates with an RSA key."),
        JsonException => TokenSet.Unusable("it is not the JSON of a token response"),
        MsalException other => new McpAuthException(ErrorReason.ProtocolViolation,
            $"Microsoft's library ended the sign-in: {UntrustedText.Sanitize(other.ErrorCode)}."),
        _ => new McpAuthException(ErrorReason.ProtocolViolation,
            $"Microsoft's library could not read the response ({e.GetType().Name}).")
        { OutcomeUnknown = true },
    };

    /// <summary>Maps a response that requires a person. The stored refresh token stays valid.</summary>
    private static McpAuthException MapInteraction(MsalUiRequiredException required, IReadOnlyList<string?> sent)
    {
        var refusal = TokenSet.Refused(required.StatusCode, Json(required.ResponseBody), sent);
        return new McpAuthException(ErrorReason.AuthenticationRequired, refusal.Message) { OAuthError = refusal.OAuthError, StatusCode = refusal.StatusCode };
    }

    private static McpAuthException MapManagedIdentity(MsalException e, IReadOnlyList<string?> sent)
    {
        if (e.ErrorCode == MsalError.ManagedIdentityUnreachableNetwork || e.InnerException is OperationCanceledException)
        {
            return new McpAuthException(ErrorReason.ServerUnreachable, "The managed identity endpoint of this machine does not answer.",
                "Managed identities exist only on machines and services of Azure.");
        }
        // The headers and the raw response precede the last prefix, and the error follows it.
        var start = e.Message.LastIndexOf(ManagedIdentityPrefix, StringComparison.Ordinal);
        var reason = start < 0 ? e.ErrorCode : e.Message[(start + ManagedIdentityPrefix.Length)..];
        return new McpAuthException(ErrorReason.AuthorizationDenied,
            $"The managed identity returned no token. {UntrustedText.Sanitize(reason, sent)}",
            "Check that this machine has that identity, and that the API allows it.")
        { StatusCode = (e as MsalServiceException)?.StatusCode is > 0 and var status ? status : null };
    }

    private static JsonElement? Json(string? body)
    {
        try
        {
            return body is { Length: > 0 } ? JsonDocument.Parse(body).RootElement : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
