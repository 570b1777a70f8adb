using McpSm.Core.Browsing;

namespace McpSm.Core.Registration;

/// <summary>The loopback redirect URI of a registration. Some issuers accept it only with the host <c>localhost</c>.</summary>
/// <param name="uri">The first URI to register.</param>
/// <param name="toLocalhost">Listens on <c>localhost</c> instead and returns its URI; null if the URI has that host already.</param>
internal sealed class RegisteredRedirectUri(string uri, Func<string>? toLocalhost)
{
    /// <summary>The other host (RFC 8252 section 8.3 advises against it, but some issuers accept no other).</summary>
    public const string Localhost = "localhost";

    public string Value { get; private set; } = uri;

    public int Port => new Uri(Value).Port;

    /// <summary>The host to store; null for 127.0.0.1.</summary>
    public string? Host => new Uri(Value).Host is Localhost ? Localhost : null;

    public bool CanBeLocalhost => Host is null && toLocalhost is not null;

    /// <exception cref="Errors.McpAuthException">CallbackPortInUse.</exception>
    public void MoveToLocalhost() => Value = toLocalhost!();

    /// <param name="host">Null for 127.0.0.1.</param>
    /// <param name="port">The port of the callback listener.</param>
    public static string Uri(string? host, int port) => $"http://{host ?? "127.0.0.1"}:{port}{CallbackListener.Path}";
}
