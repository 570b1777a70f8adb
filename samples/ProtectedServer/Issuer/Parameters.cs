using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace McpSm.Samples;

/// <summary>The parameters of an OAuth request, from a query or a form.</summary>
internal sealed class Parameters(IEnumerable<KeyValuePair<string, StringValues>> values)
{
    private readonly Dictionary<string, StringValues> _values = new(values, StringComparer.Ordinal);

    /// <summary>One value, or null. A parameter must not come twice (RFC 6749 section 3.1); empty counts as absent.</summary>
    public string? this[string name] => _values.GetValueOrDefault(name) switch
    {
        { Count: 0 } => null,
        { Count: 1 } one => string.IsNullOrEmpty(one[0]) ? null : one[0],
        _ => throw new OAuthException("invalid_request", $"{name} came more than once"),
    };

    /// <summary>The resources asked for: the one parameter that may come more than once (RFC 8707 section 2).</summary>
    public IReadOnlyList<string> Resources
    {
        get
        {
            string[] resources = [.. _values.GetValueOrDefault("resource").OfType<string>().Where(r => r.Length > 0)];
            foreach (var resource in resources)
            {
                if (!Uri.TryCreate(resource, UriKind.Absolute, out var uri)
                    || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
                    || resource.Contains('#'))
                {
                    throw new OAuthException("invalid_target", "resource must be an absolute URI without a fragment");
                }
            }

            return resources;
        }
    }

    public string Required(string name) =>
        this[name] ?? throw new OAuthException("invalid_request", $"{name} is missing");

    /// <summary>The scopes asked for, all of those supported when none were (RFC 6749 section 3.3).</summary>
    public IReadOnlyList<string> Scopes(IReadOnlyList<string> supported)
    {
        if (this["scope"] is not { } scope)
        {
            return supported;
        }

        var scopes = scope.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return scopes.All(supported.Contains)
            ? scopes
            : throw new OAuthException("invalid_scope", "a scope was asked for that cannot be granted");
    }

    public static async Task<Parameters> ReadFormAsync(HttpRequest request)
    {
        if (!request.HasFormContentType)
        {
            throw new OAuthException("invalid_request", "the body must be application/x-www-form-urlencoded");
        }

        return new Parameters(await request.ReadFormAsync(request.HttpContext.RequestAborted));
    }
}
