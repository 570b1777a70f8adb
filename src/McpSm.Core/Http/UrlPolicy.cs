using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Network;

namespace McpSm.Core.Http;

/// <summary>
/// Decides which URLs may be visited for one server (rules 27, 28, 30 of docs/rules.md). Hosts that the user named are trusted at any address. All
/// other hosts come from the network. They must not lead to this machine, its link or its cloud's metadata service, unless the server is on this
/// machine. They must not lead into a private network, unless the server is in one, or an issuer that the user named publishes the endpoint.
/// </summary>
/// <remarks>A policy is for one sign-in or renewal. It looks up the server's addresses once, and only if the result matters.</remarks>
internal sealed class UrlPolicy
{
    // Node.js has the shortest limit of common web servers: 16 KiB for the headers. A query is added to the URL later.
    private const int MaxUrlLength = 8 * 1024;

    private static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(5);

    private readonly Uri? _server;
    private readonly List<Uri> _issuers;
    private readonly HashSet<string> _namedByUser;
    private readonly bool _isServerLocal;
    private readonly Lazy<Task<bool>> _isServerInside;

    // The hosts of the endpoints of issuers that the user named. The value is true if the issuer is on this machine.
    private readonly ConcurrentDictionary<string, bool> _published = new(StringComparer.OrdinalIgnoreCase);
    private volatile bool _wasServerPublic;
    private volatile string? _issuer;

    /// <summary>Creates the policy for a server.</summary>
    /// <param name="namedByUser">The URL of the server, then the issuers that the user named, if any.</param>
    public UrlPolicy(params IEnumerable<Uri> namedByUser)
    {
        var urls = namedByUser.ToList();
        _server = urls.FirstOrDefault();
        _issuers = [.. urls.Skip(1)];
        _namedByUser = new(urls.Select(HostOf), StringComparer.OrdinalIgnoreCase);
        _isServerLocal = _server is not null && IsLoopbackHost(_server.IdnHost);
        // Runs on the thread pool, because URLs are checked synchronously.
        _isServerInside = new(() => Task.Run(IsServerInsideAsync));
    }

    /// <summary>Creates the policy for an issuer that the user named, such as an identity provider.</summary>
    /// <param name="network">The network.</param>
    /// <param name="issuer">The issuer identifier.</param>
    /// <param name="endpoints">Endpoints that the issuer has published before.</param>
    internal static UrlPolicy ForIssuer(NetworkAccess network, string issuer, params ReadOnlySpan<string?> endpoints)
    {
        var issuerUrl = new Uri(issuer);
        var policy = new UrlPolicy(issuerUrl, issuerUrl) { Network = network };
        policy.Ask(issuer, endpoints);
        return policy;
    }

    internal NetworkAccess Network { get; init; } = NetworkAccess.OfMachine;

    /// <summary>Returns the step by which the user names an issuer; null without such a step.</summary>
    internal Func<string, NextStep>? IssuerCommand { get; init; }

    /// <summary>
    /// Sets the issuer for the following checks. If the user named the issuer, its endpoints may be in a private network. If not, the remedy of a
    /// rejection is the command that names the issuer.
    /// </summary>
    /// <param name="issuer">The issuer identifier.</param>
    /// <param name="endpoints">The endpoints that the issuer publishes.</param>
    internal void Ask(string issuer, params ReadOnlySpan<string?> endpoints)
    {
        _issuer = issuer;
        if (!IsOfUser(issuer, out var issuerUrl))
        {
            return;
        }
        foreach (var endpoint in endpoints)
        {
            if (TryParse(endpoint, out var uri))
            {
                _published[HostOf(uri)] = IsLoopbackHost(issuerUrl.IdnHost);
            }
        }
    }

    /// <summary>
    /// Checks a URL: it must be absolute, have at most 8 KiB, use https (or http on loopback), and must not have user information or a rejected
    /// address.
    /// </summary>
    /// <returns>The URL with its host in ASCII, so that the user sees the host that is visited.</returns>
    /// <remarks>Looks up the server's host, for at most 5 seconds, if the URL has a private address.</remarks>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public Uri Check(string? url, string what)
    {
        if (!TryParse(url, out var uri) || uri.Scheme is not ("https" or "http"))
        {
            throw Unsafe(what, url, "it is not an absolute http(s) URL");
        }
        if (uri.AbsoluteUri.Length > MaxUrlLength)
        {
            throw Unsafe(what, url, $"it has more than {MaxUrlLength} characters");
        }
        if (uri.UserInfo.Length > 0)
        {
            throw Unsafe(what, url, "it contains a user name");
        }
        if (!IsSecure(uri))
        {
            throw Unsafe(what, url, "it uses plain http to another machine");
        }
        if (Literal(uri) is { } address && !AllowsAsync(HostOf(uri), address).GetAwaiter().GetResult())
        {
            throw UnsafeAddress(what, HostOf(uri), address);
        }
        return UntrustedText.WithAsciiHost(uri);
    }

    /// <summary>Rejects an address that a public server must not lead to. Called for the addresses of a resolved name.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public void CheckAddress(string host, IPAddress address)
    {
        if (!AllowsAsync(host, address).GetAwaiter().GetResult())
        {
            throw UnsafeAddress("The address", host, address);
        }
    }

    /// <summary>Returns the addresses of a host that may be connected to.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint: none of the addresses is allowed.</exception>
    internal async ValueTask<IPAddress[]> AllowedAsync(string host, IPAddress[] addresses)
    {
        var allowed = new List<IPAddress>();
        foreach (var address in addresses)
        {
            if (await AllowsAsync(host, address).ConfigureAwait(false))
            {
                allowed.Add(address);
            }
        }
        return allowed.Count > 0 || addresses.Length == 0 ? [.. allowed] : throw UnsafeAddress("The address", host, addresses[0]);
    }

    /// <summary>
    /// Records that a host was reached at an address. A server that was reached at a public address is not in a private network, whatever DNS returns
    /// later.
    /// </summary>
    internal void Connected(string host, IPAddress address) => _wasServerPublic |=
        _server is not null && host.Equals(HostOf(_server), StringComparison.OrdinalIgnoreCase) && AddressScopes.Classify(address) == AddressScope.Public;

    /// <summary>Whether the user named the issuer.</summary>
    private bool IsOfUser(string issuer, [NotNullWhen(true)] out Uri? uri) => TryParse(issuer, out uri) && _issuers.Contains(uri);

    private async Task<bool> AllowsAsync(string host, IPAddress address)
    {
        var scope = AddressScopes.Classify(address);
        if (scope == AddressScope.Public || _namedByUser.Contains(host))
        {
            return true;
        }
        var isPublished = _published.TryGetValue(host, out var isOfMachine);
        return scope == AddressScope.Machine ? AddressScopes.IsLoopback(address) && (_isServerLocal || (isPublished && isOfMachine))
            : isPublished || await _isServerInside.Value.ConfigureAwait(false);
    }

    /// <summary>
    /// Whether the server is in a private network or on this machine. All of its addresses must be: the owner of a public server can add a private
    /// address to its name.
    /// </summary>
    private async Task<bool> IsServerInsideAsync()
    {
        if (_server is null || _wasServerPublic)
        {
            return false;
        }
        if (Literal(_server) is { } literal)
        {
            return AddressScopes.Classify(literal) != AddressScope.Public;
        }
        if (new LoopbackBypassProxy(Network.Proxy).GetProxy(_server) is not null)
        {
            // The proxy resolves the name, possibly to another address.
            return false;
        }
        try
        {
            using var limit = new CancellationTokenSource(LookupTimeout, Network.Time);
            var addresses = await Network.ResolveAsync(_server.IdnHost, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
            return addresses.Length > 0 && addresses.All(a => AddressScopes.Classify(a) != AddressScope.Public);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // A server without an address is not in a private network.
            return false;
        }
    }

    /// <summary>Returns the host as connections use it: an IPv6 address without brackets.</summary>
    private static string HostOf(Uri uri) => uri.IdnHost.Trim('[', ']');

    /// <summary>Returns the IP address in the URL, or the loopback address for a name of this machine; null for other names.</summary>
    private static IPAddress? Literal(Uri uri) => IPAddress.TryParse(HostOf(uri), out var address) ? address
        : LoopbackName.Matches(uri.IdnHost) ? IPAddress.Loopback : null;

    /// <summary>
    /// Parses an absolute URL. Rejects a host without an ASCII form, which .NET accepts and throws for later, and a URL whose printed form parses to
    /// something else: from some hidden characters .NET makes a host that the next parser reads as an address.
    /// </summary>
    /// <remarks>Uri.TryCreate throws for a few texts, such as "//" with a right-to-left override.</remarks>
    internal static bool TryParse(string? text, [NotNullWhen(true)] out Uri? uri)
    {
        try
        {
            return Uri.TryCreate(text, UriKind.Absolute, out uri) && uri.IdnHost is not null
                && Uri.TryCreate(uri.AbsoluteUri, UriKind.Absolute, out var printed) && printed.AbsoluteUri == uri.AbsoluteUri;
        }
        catch (Exception e) when (e is UriFormatException or IndexOutOfRangeException)
        {
            uri = null;
            return false;
        }
    }

    /// <summary>
    /// Returns the target of a Location header relative to the requested URL, with any scheme; null if the header is not a valid URL.
    /// </summary>
    internal static Uri? Target(HttpResponseMessage response, Uri requested)
    {
        try
        {
            return response.Headers.Location is { } location && Uri.TryCreate(requested, location, out var target)
                && TryParse(target.AbsoluteUri, out var parsed) ? parsed : null;
        }
        catch (Exception e) when (e is UriFormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>Whether the URL uses https, or http to this machine.</summary>
    public static bool IsSecure(Uri uri) => uri.Scheme == "https" || (uri.Scheme == "http" && IsLoopbackHost(uri.IdnHost));

    /// <summary>Whether the host of a URL is this machine: a loopback address, <c>localhost</c>, or a name under it.</summary>
    public static bool IsLoopbackHost(string host) => LoopbackName.Matches(host)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && AddressScopes.IsLoopback(address));

    private McpAuthException UnsafeAddress(string what, string host, IPAddress address)
    {
        var isPrivate = AddressScopes.Classify(address) == AddressScope.Private;
        var location = isPrivate ? "in a private network" : "of this machine, its link or its cloud";
        var reason = host == address.ToString() ? $"{address} is an address {location}"
            : $"{UntrustedText.Sanitize(host)} has {address}, an address {location}";
        return new McpAuthException(ErrorReason.UnsafeEndpoint, $"{what} is not safe to visit: {reason}, and a public server must not lead there.",
            isPrivate && IssuerCommand is { } command && _issuer is { } issuer && !IsOfUser(issuer, out _)
                ? (Remedy)$"If you trust the issuer: {command(issuer)}" : UsePublicHost);
    }

    private const string UsePublicHost = "Ask the operator of the server to publish an https URL with a public host.";

    private static McpAuthException Unsafe(string what, string? url, string reason) =>
        new(ErrorReason.UnsafeEndpoint, $"{what} is not safe to visit: {reason} ({Show(url)}).",
            UsePublicHost);

    /// <summary>Returns only host and path of a URL from the network: its user information and query may contain secrets.</summary>
    private static string Show(string? url) =>
        TryParse(url, out var uri) && uri.Host.Length > 0
            ? UntrustedText.Sanitize(UntrustedText.WithAsciiHost(uri).GetLeftPart(UriPartial.Path))
            : UntrustedText.Sanitize(url?.Split('?', '#')[0]);
}
