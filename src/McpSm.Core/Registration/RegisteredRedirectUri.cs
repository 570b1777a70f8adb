using McpSm.Core.Browsing;

namespace McpSm.Core.Registration;

/// <summary>The loopback redirect URI that a registration asks for, which an issuer may want in another form.</summary>
/// <param name="uri">The URI to ask for first.</param>
/// <param name="toLocalhost">Moves to <c>http://localhost</c> and gives the URI there; null if that is where it is.</param>
internal sealed class RegisteredRedirectUri(string uri, Func<string>? toLocalhost)
{
    /// <summary>The host of the second form (RFC 8252 section 8.3 advises against it, some issuers take no other).</summary>
    public const string Localhost = "localhost";

    public string Value { get; private set; } = uri;

    public int Port => new Uri(Value).Port;

    /// <summary>What is kept of it: null for 127.0.0.1.</summary>
    public string? Host => new Uri(Value).Host is Localhost ? Localhost : null;

    public bool CanBeLocalhost => Host is null && toLocalhost is not null;

    /// <exception cref="Errors.McpAuthException">CallbackPortInUse.</exception>
    public void MoveToLocalhost() => Value = toLocalhost!();

    /// <param name="host">Null for 127.0.0.1.</param>
    public static string Uri(string? host, int port) => $"http://{host ?? "127.0.0.1"}:{port}{CallbackListener.Path}";
}
