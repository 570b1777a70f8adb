using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace McpSm.Samples;

/// <summary>The parameters of an OAuth request, from a query or a form.</summary>
internal sealed class Parameters(IEnumerable<KeyValuePair<string, StringValues>> values)
{
    private readonly Dictionary<string, StringValues> _values = new(values, StringComparer.Ordinal);

    /// <summary>Returns a value, or null. A parameter must not be repeated (RFC 6749 section 3.1); an empty one counts as missing.</summary>
    public string? this[string name] => _values.GetValueOrDefault(name) switch
    {
        { Count: 0 } => null,
        { Count: 1 } one => string.IsNullOrEmpty(one[0]) ? null : one[0],
        _ => throw new OAuthException("invalid_request", $"{name} was sent more than once"),
    };

    /// <summary>Returns the requested resources, the only parameter that can be repeated (RFC 8707 section 2).</summary>
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

    /// <summary>Returns the requested scopes, by default all supported ones (RFC 6749 section 3.3).</summary>
    public IReadOnlyList<string> Scopes(IReadOnlyList<string> supported)
    {
        if (this["scope"] is not { } scope)
        {
            return supported;
        }

        var scopes = scope.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return scopes.All(supported.Contains)
            ? scopes
            : throw new OAuthException("invalid_scope", "a requested scope cannot be granted");
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
