using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using Microsoft.Identity.Client;

namespace McpSm.Core.Entra;

/// <summary>
/// Failures of Microsoft's library as ours. Its messages quote whole answers and its exceptions carry them: neither is
/// passed on, and what the issuer said is read anew from its answer.
/// </summary>
internal static class MsalExceptionMapper
{
    private const string ManagedIdentityMark = "[Managed Identity] ";

    /// <summary>Runs one request of the library.</summary>
    /// <param name="sent">The secrets in the request: what is quoted of them is not shown.</param>
    /// <exception cref="McpAuthException">In place of whatever the library throws but the cancellation that was asked for.</exception>
    public static async Task<AuthenticationResult> MapAsync(Func<Task<AuthenticationResult>> ask, Func<IReadOnlyList<string?>> sent,
        CancellationToken cancellationToken)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not McpAuthException)
        {
            // A cancelled browser comes out of it as an exception of its own.
            cancellationToken.ThrowIfCancellationRequested();
            throw Of(e, sent());
        }
    }

    private static McpAuthException Of(Exception e, IReadOnlyList<string?> sent) => e switch
    {
        { InnerException: McpAuthException ours } => ours,
        MsalUiRequiredException { ResponseBody: null or "" } => new McpAuthException(ErrorReason.RefreshTokenRejected,
            "Nothing is kept that Microsoft Entra ID could be asked for a new token with."),
        MsalUiRequiredException
        {
            Classification: UiRequiredExceptionClassification.BasicAction or UiRequiredExceptionClassification.AdditionalAction
            or UiRequiredExceptionClassification.MessageOnly or UiRequiredExceptionClassification.ConsentRequired
        } asks => MustBeThere(asks, sent),
        MsalUiRequiredException { ErrorCode: "interaction_required" or "login_required" or "consent_required" } asks => MustBeThere(asks, sent),
        MsalException { AdditionalExceptionData: var data } managed when data.ContainsKey(MsalException.ManagedIdentitySource) =>
            OfManagedIdentity(managed, sent),
        MsalServiceException { ErrorCode: "expired_token" } or MsalClientException { ErrorCode: MsalError.CodeExpired } => DeviceCodeGrant.Expired(),
        MsalServiceException { StatusCode: > 0 } said => TokenSet.Refused(said.StatusCode, Json(said.ResponseBody), sent),
        MsalClientException { ErrorCode: MsalError.AuthenticationCanceledError } => new McpAuthException(ErrorReason.AuthorizationDenied,
            "The sign-in was cancelled."),
        MsalClientException { ErrorCode: MsalError.CertificateNotRsa } => new McpAuthException(ErrorReason.InvalidValue,
            "Microsoft Entra ID takes certificates with an RSA key alone."),
        JsonException => TokenSet.Unusable("it is not the JSON of a token answer"),
        MsalException other => new McpAuthException(ErrorReason.ProtocolViolation,
            $"Microsoft's library ended the sign-in: {UntrustedText.Sanitize(other.ErrorCode)}."),
        _ => new McpAuthException(ErrorReason.ProtocolViolation,
            $"Microsoft's library could not make use of the answer ({e.GetType().Name}).")
        { OutcomeUnknown = true },
    };

    /// <summary>What is kept is still good, and a person must do something before it gives a token again.</summary>
    private static McpAuthException MustBeThere(MsalUiRequiredException asks, IReadOnlyList<string?> sent)
    {
        var said = TokenSet.Refused(asks.StatusCode, Json(asks.ResponseBody), sent);
        return new McpAuthException(ErrorReason.AuthenticationRequired, said.Message) { OAuthError = said.OAuthError, StatusCode = said.StatusCode };
    }

    private static McpAuthException OfManagedIdentity(MsalException e, IReadOnlyList<string?> sent)
    {
        if (e.ErrorCode == MsalError.ManagedIdentityUnreachableNetwork || e.InnerException is OperationCanceledException)
        {
            return new McpAuthException(ErrorReason.ServerUnreachable, "No managed identity answers on this machine.",
                "Managed identities are there on machines and services of Azure alone.");
        }
        // Headers and the answer as it came stand before the last mark, the error out of it behind.
        var from = e.Message.LastIndexOf(ManagedIdentityMark, StringComparison.Ordinal);
        var why = from < 0 ? e.ErrorCode : e.Message[(from + ManagedIdentityMark.Length)..];
        return new McpAuthException(ErrorReason.AuthorizationDenied,
            $"The managed identity gave no token. {UntrustedText.Sanitize(why, sent)}", "Check that this machine has that identity, and that the API lets it in.")
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
