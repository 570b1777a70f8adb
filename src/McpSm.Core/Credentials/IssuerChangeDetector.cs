using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.Core.Interruption;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>Detects that a server no longer trusts the issuer of its credential (rules 7 and 15 of docs/rules.md).</summary>
internal static class IssuerChangeDetector
{
    // A renewal needs the issuer; it should not wait long for a server that is slow to name its issuers.
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Asks the server for its issuers, unless the user has pinned one.</summary>
    /// <returns>The issuer that replaces <paramref name="issuer"/>; null if that one is still trusted, or if the server does not answer.</returns>
    public static async Task<string?> FindAsync(RestrictedHttpClient http, McpServer server, ServerSecrets item, string issuer,
        CancellationToken cancellationToken)
    {
        if (server.Issuer is { } pinned)
        {
            return pinned == issuer ? null : pinned;
        }
        using var limit = new TimeLimit(http.Time, ProbeTimeout, cancellationToken);
        try
        {
            var answer = await ChallengeProbe.SendAsync(http, server.Uri, server.Transport == McpTransport.Sse,
                ServerSecrets.HeadersFor(server, item), null, limit.Token).ConfigureAwait(false);
            var resource = await ProtectedResourceMetadata.FindAsync(http, server.Uri, answer.MetadataChallenge, limit.Token).ConfigureAwait(false);
            return resource is { AuthorizationServers: [var first, ..] named } && !named.Contains(issuer) ? first : null;
        }
        catch (Exception e) when (e is McpAuthException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // A server that does not answer has not named another issuer.
            return null;
        }
    }
}
