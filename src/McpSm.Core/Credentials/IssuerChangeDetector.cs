using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>Whether a server still trusts the issuer of its credential (rules 7 and 15 of docs/rules.md).</summary>
internal static class IssuerChangeDetector
{
    // Whoever renews waits for the issuer, and not long for a server that is slow to say who that is.
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);

    /// <returns>The issuer that the server names, or the user pinned, in place of that one; null where that one holds, or nothing could be learned.</returns>
    public static async Task<string?> FindAsync(RestrictedHttpClient http, McpServer server, ServerSecrets item, string issuer,
        CancellationToken cancellationToken)
    {
        if (server.Issuer is { } pinned)
        {
            return pinned == issuer ? null : pinned;
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ProbeTimeout);
        try
        {
            var answer = await ChallengeProbe.SendAsync(http, server.Uri, server.Transport == McpTransport.Sse,
                ServerSecrets.HeadersFor(server, item), null, limit.Token).ConfigureAwait(false);
            var resource = await ProtectedResourceMetadata.FindAsync(http, server.Uri, answer.MetadataChallenge, limit.Token).ConfigureAwait(false);
            return resource is { AuthorizationServers: [var first, ..] named } && !named.Contains(issuer) ? first : null;
        }
        catch (Exception e) when (e is McpAuthException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // A server that cannot be read has not said that it trusts another one.
            return null;
        }
    }
}
