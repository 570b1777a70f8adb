using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>Protected resource metadata (RFC 9728) that covers the server.</summary>
/// <param name="Resource">The resource identifier.</param>
/// <param name="AuthorizationServers">The issuer identifiers of the authorization servers.</param>
/// <param name="ScopesSupported">The supported scopes; null if not specified.</param>
internal sealed record ProtectedResourceMetadata(
    string Resource, IReadOnlyList<string> AuthorizationServers, IReadOnlyList<string>? ScopesSupported)
{
    /// <summary>Whether the resource accepts only tokens that are bound to a key (RFC 9728 section 2).</summary>
    public bool RequiresDPoP { get; init; }

    /// <summary>The supported proof algorithms (RFC 9449); null if not specified.</summary>
    public IReadOnlyList<string>? DPoPAlgorithms { get; init; }

    private const string WellKnown = "/.well-known/oauth-protected-resource";

    /// <summary>
    /// Finds the metadata of a server (rules 2, 3, 7a of docs/rules.md): at the URL in the challenge and nowhere else, or without one at the
    /// well-known URLs.
    /// </summary>
    /// <returns>The metadata; null if the challenge has no URL and every well-known URL returned 404.</returns>
    /// <exception cref="McpAuthException">MetadataInvalid, ResourceMismatch, UnsafeEndpoint, ServerUnreachable.</exception>
    public static async Task<ProtectedResourceMetadata?> FindAsync(RestrictedHttpClient http, Uri server, Challenge? challenge,
        CancellationToken cancellationToken)
    {
        const string what = "The server's resource metadata";
        if (challenge?["resource_metadata"] is { } named)
        {
            var answer = await http.GetAsync(named, what, cancellationToken).ConfigureAwait(false);
            return answer.Status == 200 ? Parse(answer, what, server) : throw Unreadable(what, answer.Status);
        }
        McpAuthException? failure = null;
        foreach (var url in MetadataUrls(server))
        {
            try
            {
                var answer = await http.GetAsync(url, what, cancellationToken).ConfigureAwait(false);
                if (answer.Status != 404)
                {
                    return answer.Status == 200 ? Parse(answer, what, server) : throw Unreadable(what, answer.Status);
                }
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.MetadataInvalid or ErrorReason.UnsafeEndpoint)
            {
                // Some servers answer every unknown path with a web page, or redirect it, perhaps to plain http. The other well-known URL may still
                // be valid.
                failure ??= e;
            }
        }
        return failure is null ? null : throw failure;
    }

    private static IEnumerable<string> MetadataUrls(Uri server)
    {
        var origin = server.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        var path = server.AbsolutePath.TrimEnd('/') + server.Query;
        if (path.Length > 0)
        {
            yield return origin + WellKnown + path;
        }
        yield return origin + WellKnown;
    }

    private static ProtectedResourceMetadata Parse(HttpDocument answer, string what, Uri server)
    {
        var document = MetadataDocument.Parse(answer, what);
        var resource = document.Required("resource");
        if (!ResourceUri.Covers(resource, server))
        {
            throw new McpAuthException(ErrorReason.ResourceMismatch,
                $"{what} describes '{UntrustedText.Sanitize(resource)}', which does not include {UntrustedText.Sanitize(server.GetLeftPart(UriPartial.Path))}.",
                "Check the server's URL. Mcpsm does not use a token for another resource here.");
        }
        return new ProtectedResourceMetadata(resource, document.Strings("authorization_servers") ?? [],
            document.Strings("scopes_supported")?.Where(Scopes.IsValid).ToList())
        {
            RequiresDPoP = document.IsTrue("dpop_bound_access_tokens_required"),
            DPoPAlgorithms = document.Strings("dpop_signing_alg_values_supported"),
        };
    }

    private static McpAuthException Unreadable(string what, int status) =>
        new(ErrorReason.MetadataInvalid, $"{what} cannot be read: the server returned status {status}.") { StatusCode = status };
}
