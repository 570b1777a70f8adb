using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>
/// Suggests what to do about a failure without a remedy of its own. It never suggests the sign-in that has just failed: a fault of the server or
/// its issuer remains until its operator, or a setting of the server, corrects it.
/// </summary>
internal static class SignInRemedy
{
    private const string Later = "Try again later.";

    /// <param name="server">The server.</param>
    /// <param name="e">The failure.</param>
    /// <param name="target">The target of the sign-in; null if it was not found.</param>
    /// <returns>Null if the failure does not belong to a sign-in.</returns>
    public static Remedy? ForSignIn(McpServer server, McpAuthException e, SignInTarget? target) => e.Reason switch
    {
        ErrorReason.ServerUnreachable => (Remedy)Later,
        ErrorReason.AuthenticationTimeout => "Start the sign-in again, and finish it in time.",
        ErrorReason.AuthorizationDenied => $"Ask the operator of {Issuer(target)} for access, or sign in there with another account.",
        ErrorReason.InsufficientScope => ForScopes(server, target),
        ErrorReason.ClientRejected when server.ClientId is not null => $"Check the client at its issuer, then give its id and secret: "
            + $"{new UpdateServerStep(server, StepOptionKind.ClientId, StepOptionKind.ClientSecret)}",
        ErrorReason.ClientRejected or ErrorReason.ClientRegistrationFailed =>
            $"Supply a client of your own: {new UpdateServerStep(server, StepOptionKind.ClientId)}",
        ErrorReason.TokenResponseInvalid when e.OAuthError == "invalid_target" =>
            $"Tell the operator of {Issuer(target)} that it does not know this server as a resource (RFC 8707).",
        ErrorReason.MetadataInvalid or ErrorReason.TokenResponseInvalid or ErrorReason.ProtocolViolation when target is not null =>
            $"Tell the operator of {Issuer(target)}.",
        ErrorReason.MetadataInvalid or ErrorReason.IssuerMismatch => ForDocument(server),
        ErrorReason.TokenResponseInvalid or ErrorReason.ProtocolViolation or ErrorReason.PkceUnsupported or ErrorReason.ResourceMismatch
            or ErrorReason.UnsafeEndpoint or ErrorReason.StateMismatch or ErrorReason.TokenRejected => "Tell the operator of the server.",
        ErrorReason.InvalidValue => "Correct that value, then sign in again.",
        _ => null,
    };

    /// <summary>Returns what to do about a failed renewal.</summary>
    public static Remedy? ForRenewal(McpServer server, McpAuthException e) => e.Reason switch
    {
        ErrorReason.RefreshTokenRejected or ErrorReason.AuthenticationRequired or ErrorReason.TokenRejected or ErrorReason.ClientRejected
            or ErrorReason.AuthorizationDenied => CredentialRemedy.ForNewCredential(server),
        // The issuer may still accept a sign-in.
        ErrorReason.TokenResponseInvalid when e.StatusCode is >= 400 and < 500 => CredentialRemedy.ForNewCredential(server),
        _ => ForSignIn(server, e, null),
    };

    /// <summary>Returns what to do about metadata that cannot be used.</summary>
    public static Remedy ForDocument(McpServer server) =>
        $"Tell the operator of {(server.Issuer is null ? "the server" : "the issuer")}. If you know {(server.Issuer is null ? "its" : "another")} issuer: "
        + $"{new UpdateServerStep(server, StepOptionKind.Issuer)}";

    /// <summary>Returns what to do about refused scopes: request only those that the issuer lists.</summary>
    private static Remedy ForScopes(McpServer server, SignInTarget? target)
    {
        var listed = target?.Issuer.ScopesSupported ?? [];
        var asked = target?.Scopes ?? server.Scopes;
        var fewer = asked.Where(listed.Contains).ToList();
        var scopes = new StepOption(StepOptionKind.Scope, fewer.Count < asked.Count ? fewer : []);
        var lead = asked.Count == 0 ? "No scopes were requested. Request the scopes that you need"
            : $"The requested scopes were: {UntrustedText.Sanitize(string.Join(' ', asked))}. Request only scopes that the issuer grants";
        return $"{lead}: {new UpdateServerStep(server, scopes)}";
    }

    private static string Issuer(SignInTarget? target) => target is null ? "the issuer" : $"the issuer {UntrustedText.Sanitize(target.Issuer.Issuer)}";
}
