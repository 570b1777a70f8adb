using System.Collections.Concurrent;

namespace McpSm.Samples;

/// <summary>The clients of an issuer: pre-registered, dynamically registered, or identified by a metadata document.</summary>
internal sealed class ClientRegistry
{
    private readonly ConcurrentDictionary<string, RegisteredClient> _clients = new(StringComparer.Ordinal);
    private readonly AuthorizationServerOptions _options;

    public ClientRegistry(AuthorizationServerOptions options)
    {
        _options = options;
        foreach (var client in options.PreRegisteredClients)
        {
            Add(client);
        }
    }

    public IReadOnlyCollection<RegisteredClient> All => [.. _clients.Values];

    public void Add(RegisteredClient client) => _clients[client.ClientId] = client;

    /// <summary>Deletes the dynamically registered clients. The pre-registered ones stay.</summary>
    public void ForgetRegistered()
    {
        foreach (var client in _clients.Values.Where(c => c.RegistrationRequest is not null))
        {
            _clients.TryRemove(client.ClientId, out _);
        }
    }

    public RegisteredClient? Find(string clientId) =>
        _clients.TryGetValue(clientId, out var client) ? client : FromMetadataDocument(clientId);

    /// <summary>Returns whether a URI is https, or http on loopback, without a fragment (RFC 6749 section 3.1.2, RFC 8252 section 7.3).</summary>
    public static bool IsAcceptableRedirectUri(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var uri)
        && !value.Contains('#')
        && uri.UserInfo.Length == 0
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    private RegisteredClient? FromMetadataDocument(string clientId) =>
        _options.SupportsClientIdMetadataDocuments
        && Uri.TryCreate(clientId, UriKind.Absolute, out var uri)
        && uri.Scheme == Uri.UriSchemeHttps
        && uri.AbsolutePath.Length > 1
            ? new RegisteredClient(clientId, null, [], "none") { AnyRedirectUri = true }
            : null;
}
