using System.Security.Cryptography;
using System.Text;

namespace McpSm.Core.Management.McpRemote;

/// <summary>How a client starts the npm package <c>mcp-remote</c> for a server, or a URL that may be of such a server.</summary>
internal sealed record McpRemoteEntry
{
    /// <summary>The URL, exactly as <c>mcp-remote</c> got it.</summary>
    public required string Url { get; init; }

    /// <summary>The name of the server in the configuration of the client; null for a URL from elsewhere.</summary>
    public string? Name { get; init; }

    /// <summary>The path of the configuration file of the client; null for a URL from elsewhere.</summary>
    public string? File { get; init; }

    public string? Resource { get; init; }

    public bool OmitsResource { get; init; }

    public IReadOnlyDictionary<string, string> AuthorizeParams { get; init; } = new Dictionary<string, string>();

    /// <summary>The headers as they are written, with their <c>${VARIABLE}</c>s. They may be secrets.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The variables that the client gives to the process. They may be secrets.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    public string? ClientMetadataUrl { get; init; }

    public string? TokenEndpoint { get; init; }

    /// <summary><c>http-first</c>, <c>sse-first</c>, <c>http-only</c> or <c>sse-only</c>; null for the default.</summary>
    public string? Transport { get; init; }

    public IReadOnlyList<string> IgnoreTools { get; init; } = [];

    public string? ClientId { get; init; }

    /// <summary>The secret of a client that the user registered; null without one.</summary>
    public string? ClientSecret { get; init; }

    public string? Scope { get; init; }

    /// <summary>
    /// The names under which versions of <c>mcp-remote</c> may store the tokens of the entry. A name is the MD5 of the URL and the options, so a file with
    /// such a name was stored for this URL.
    /// </summary>
    public IEnumerable<string> Hashes => new[]
    {
        Hash(Url, Resource, AuthorizeParams, Headers, ClientMetadataUrl, TokenEndpoint),
        // Some clients expand variables before they start the program.
        Hash(Url, Resource, AuthorizeParams, Expanded(out _), ClientMetadataUrl, TokenEndpoint),
        // Older versions knew fewer options.
        Hash(Url, Resource, null, Headers, null, null),
        Hash(Url, null, null, null, null, null),
    }.Distinct(StringComparer.Ordinal);

    /// <summary>The headers with the values of variables.</summary>
    /// <param name="missing">The names of headers that are left out, because a variable is not set.</param>
    public IReadOnlyDictionary<string, string> Expanded(out IReadOnlyList<string> missing)
    {
        var (headers, without) = (new Dictionary<string, string>(StringComparer.Ordinal), new List<string>());
        foreach (var (name, value) in Headers)
        {
            if (McpRemoteText.Expand(value, Variables) is { } expanded)
            {
                headers[name] = expanded;
            }
            else
            {
                without.Add(name);
            }
        }
        missing = without;
        return headers;
    }

    /// <summary>Omits headers, variables and the secret, because the generated ToString of a record prints all members.</summary>
    public override string ToString() => $"entry '{Name}' of mcp-remote";

    /// <summary>Computes the name as <c>getServerUrlHash</c> of <c>mcp-remote</c> does.</summary>
    internal static string Hash(string url, string? resource, IReadOnlyDictionary<string, string>? authorizeParams,
        IReadOnlyDictionary<string, string>? headers, string? clientMetadataUrl, string? tokenEndpoint)
    {
        string?[] parts =
        [
            url, resource,
            authorizeParams is { Count: > 0 } ? McpRemoteText.Stringify(authorizeParams) : null,
            headers is { Count: > 0 } ? McpRemoteText.Stringify(headers) : null,
            clientMetadataUrl, tokenEndpoint,
        ];
#pragma warning disable CA5351 // The format of mcp-remote: MD5 only names a file here.
        return Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(string.Join('|', parts.Where(part => !string.IsNullOrEmpty(part))))));
#pragma warning restore CA5351
    }
}
