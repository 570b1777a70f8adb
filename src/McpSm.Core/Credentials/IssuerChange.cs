using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Core.Credentials;

/// <summary>Whether a server still trusts the issuer of its credential (rules 7 and 15 of docs/rules.md).</summary>
internal static class IssuerChange
{
    // Whoever renews waits for the issuer, and not long for a server that is slow to say who that is.
    private static readonly TimeSpan LongestQuestion = TimeSpan.FromSeconds(5);

    /// <returns>The issuer that the server names, or the user pinned, in place of that one; null where that one holds, or nothing could be learned.</returns>
    public static async Task<string?> FindAsync(SafeHttp http, McpServer server, ServerItem item, string issuer,
        CancellationToken cancellationToken)
    {
        if (server.Issuer is { } pinned)
        {
            return pinned == issuer ? null : pinned;
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LongestQuestion);
        try
        {
            var answer = await ServerQuestion.AskAsync(http, server.Uri, server.Transport == McpTransport.Sse,
                ServerItem.HeadersFor(server, item), null, limit.Token).ConfigureAwait(false);
            var resource = await ResourceMetadata.FindAsync(http, server.Uri, answer.MetadataChallenge, limit.Token).ConfigureAwait(false);
            return resource is { AuthorizationServers: [var first, ..] named } && !named.Contains(issuer) ? first : null;
        }
        catch (Exception e) when (e is McpAuthException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // A server that cannot be read has not said that it trusts another one.
            return null;
        }
    }
}
