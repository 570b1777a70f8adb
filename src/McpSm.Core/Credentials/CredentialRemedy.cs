using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>How to get a credential that works.</summary>
internal static class CredentialRemedy
{
    /// <summary>How to get a credential that works in place of none, or of one that does not: by a sign-in, unless sign-in is off.</summary>
    public static NextStep ForNewCredential(McpServer server) => server.OAuth != OAuthMode.Off ? new SignInStep(server) : new SetTokenStep(server);

    /// <summary>The error of a call that needs a credential which can be renewed.</summary>
    public static McpAuthException SignInNeeded(McpServer server, ServerSecrets? item) =>
        (item?.BearerToken ?? server.Plaintext.BearerToken) is not null
        ? new McpAuthException(ErrorReason.AuthenticationRequired, $"'{server.Name}' has a bearer token, which nothing can renew.",
            new SetTokenStep(server))
        { Server = server.Name }
        : new McpAuthException(ErrorReason.AuthenticationRequired, $"You are not signed in to '{server.Name}'.",
            ForNewCredential(server))
        { Server = server.Name };
}
