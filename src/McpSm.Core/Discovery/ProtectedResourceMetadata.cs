using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>Protected resource metadata (RFC 9728) that covers the server it was asked for.</summary>
public sealed record ProtectedResourceMetadata(
    string Resource, IReadOnlyList<string> AuthorizationServers, IReadOnlyList<string>? ScopesSupported)
{
    /// <summary>It takes no token that is not bound to a key (RFC 9728 section 2).</summary>
    public bool RequiresDPoP { get; init; }

    /// <summary>The algorithms of proofs it takes (RFC 9449); null where it does not say.</summary>
    public IReadOnlyList<string>? DPoPAlgorithms { get; init; }

    private const string WellKnown = "/.well-known/oauth-protected-resource";

    /// <summary>
    /// Finds the metadata of a server (rules 2, 3, 7a of docs/rules.md): where the challenge says, which is final; else by the
    /// well-known forms.
    /// </summary>
    /// <returns>Null where no place was named and every well-known form answered 404.</returns>
    /// <exception cref="McpAuthException">MetadataInvalid, ResourceMismatch, UnsafeEndpoint, ServerUnreachable.</exception>
    public static async Task<ProtectedResourceMetadata?> FindAsync(RestrictedHttpClient http, Uri server, Challenge? challenge,
        CancellationToken cancellationToken)
    {
        const string what = "The server's resource metadata";
        if (challenge?["resource_metadata"] is { } named)
        {
            var answer = await http.GetAsync(named, what, cancellationToken).ConfigureAwait(false);
            return answer.Status == 200 ? Parse(answer, what, server) : throw Answered(what, answer.Status);
        }
        McpAuthException? failure = null;
        foreach (var form in Forms(server))
        {
            try
            {
                var answer = await http.GetAsync(form, what, cancellationToken).ConfigureAwait(false);
                if (answer.Status != 404)
                {
                    return answer.Status == 200 ? Parse(answer, what, server) : throw Answered(what, answer.Status);
                }
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.MetadataInvalid or ErrorReason.UnsafeEndpoint)
            {
                // Some servers answer every unknown path with a page of their own, or send it away, to plain http perhaps: the
                // other form may be real.
                failure ??= e;
            }
        }
        return failure is null ? null : throw failure;
    }

    private static IEnumerable<string> Forms(Uri server)
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
                $"{what} is for '{UntrustedText.Sanitize(resource)}', which does not cover {UntrustedText.Sanitize(server.GetLeftPart(UriPartial.Path))}.",
                "Check the server's URL; a token for another resource must not be used here.");
        }
        return new ProtectedResourceMetadata(resource, document.Strings("authorization_servers") ?? [],
            document.Strings("scopes_supported")?.Where(Scopes.IsValid).ToList())
        {
            RequiresDPoP = document.IsTrue("dpop_bound_access_tokens_required"),
            DPoPAlgorithms = document.Strings("dpop_signing_alg_values_supported"),
        };
    }

    private static McpAuthException Answered(string what, int status) =>
        new(ErrorReason.MetadataInvalid, $"{what} cannot be read: status {status}.") { StatusCode = status };
}
