using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>The next step to a working credential.</summary>
internal static class CredentialRemedy
{
    /// <summary>Returns the step that replaces a missing or rejected credential: a sign-in, or a bearer token if sign-in is off.</summary>
    public static NextStep ForNewCredential(McpServer server) => server.OAuth != OAuthMode.Off ? new SignInStep(server) : new SetTokenStep(server);

    /// <summary>Creates the error of a call that needs a renewable credential.</summary>
    public static McpAuthException SignInNeeded(McpServer server, ServerSecrets? item) =>
        (item?.BearerToken ?? server.Plaintext.BearerToken) is not null
        ? new McpAuthException(ErrorReason.AuthenticationRequired, $"'{server.Name}' has a bearer token, and Mcpsm cannot renew bearer tokens.",
            new SetTokenStep(server))
        { Server = server.Name }
        : new McpAuthException(ErrorReason.AuthenticationRequired, $"You are not signed in to '{server.Name}'.",
            ForNewCredential(server))
        { Server = server.Name };
}
