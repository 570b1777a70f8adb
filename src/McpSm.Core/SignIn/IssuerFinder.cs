using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>Finds the issuer of a server for a renewal whose credential does not name one.</summary>
internal static class IssuerFinder
{
    /// <exception cref="McpAuthException">MetadataInvalid: the server names no issuer. PkceUnsupported. The reasons of discovery.</exception>
    public static async Task<(string Resource, AuthorizationServerMetadata Issuer)> FindAsync(McpServer server, ServerSecrets item, RestrictedHttpClient http,
        UrlPolicy policy, CancellationToken cancellationToken) =>
        await SignInTarget.FindAsync(http, policy, server, item, null, null, cancellationToken).ConfigureAwait(false) is { } target
            ? (target.Resource, target.WithPkce().Issuer)
            : throw new McpAuthException(ErrorReason.MetadataInvalid, $"'{server.Name}' names no issuer that could renew its token.",
                new SignInStep(server))
            { Server = server.Name };
}
