using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Core.Management;

/// <summary>Which secrets a person gave for servers: the names of headers, and whether there is a client's secret. No vault is opened.</summary>
internal static class SecretNameReader
{
    /// <summary>The servers, with what is known of their secrets from <c>credentials.json</c> and <c>config.json</c>.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="servers">The servers.</param>
    /// <param name="failure">Why <c>credentials.json</c> cannot be read; what it says is then left out.</param>
    public static IReadOnlyList<McpServer> WithSecretNames(AppEnvironment environment, IReadOnlyList<McpServer> servers, out McpAuthException? failure)
    {
        failure = null;
        IReadOnlyDictionary<string, CredentialInfo> all = new Dictionary<string, CredentialInfo>();
        try
        {
            all = new CredentialIndex(environment).Read();
        }
        catch (McpAuthException e)
        {
            failure = e;
        }
        return [.. servers.Select(s => With(s, all.GetValueOrDefault(s.Id) is { } info && McpAuthStatus.DescribesServer(info, s) ? info : null))];
    }

    private static McpServer With(McpServer server, CredentialInfo? info)
    {
        // Most servers have none, and thousands of copies would be half of what is kept.
        var names = (info?.HeaderNames ?? []).Concat(server.Plaintext.Headers.Keys).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var hasSecret = info?.HasClientSecret == true || server.Plaintext.ClientSecret is not null;
        return names.Count == 0 && !hasSecret ? server : new McpServer(server) { HeaderNames = names, HasClientSecret = hasSecret };
    }
}
