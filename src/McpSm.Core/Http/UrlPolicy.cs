using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Network;

namespace McpSm.Core.Http;

/// <summary>
/// Which URLs may be visited for one server (rules 27, 28, 30 of docs/rules.md). Hosts that the user named are trusted to be where they are.
/// All others were named by the network. None of them may lead to this machine, its link or its cloud's metadata, unless the server is
/// on this machine itself. None may lead into a private network, unless the server is in one itself, or an issuer that the
/// user named publishes the endpoint.
/// </summary>
/// <remarks>A policy is for one sign-in or renewal: it finds out once where the server is, and only if that matters.</remarks>
public sealed class UrlPolicy
{
    // No web server in common use takes a longer request line than Node.js with 16 KiB, and a query is still to come.
    private const int MaxUrlLength = 8 * 1024;

    private static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(5);

    private readonly Uri? _server;
    private readonly List<Uri> _issuers;
    private readonly HashSet<string> _namedByUser;
    private readonly bool _local;
    private readonly Lazy<Task<bool>> _isServerInside;

    // Hosts of the endpoints that an issuer of the user's publishes; true if that issuer is on this machine.
    private readonly ConcurrentDictionary<string, bool> _published = new(StringComparer.OrdinalIgnoreCase);
    private volatile bool _wasServerPublic;
    private volatile string? _issuer;

    /// <param name="namedByUser">The server's URL, then the issuers that the user named, if any.</param>
    public UrlPolicy(params IEnumerable<Uri> namedByUser)
    {
        var all = namedByUser.ToList();
        _server = all.FirstOrDefault();
        _issuers = [.. all.Skip(1)];
        _namedByUser = new(all.Select(HostOf), StringComparer.OrdinalIgnoreCase);
        _local = _server is not null && IsLoopbackHost(_server.IdnHost);
        // On the pool: the URLs of a document are judged without waiting in turn.
        _isServerInside = new(() => Task.Run(IsServerInsideAsync));
    }

    /// <summary>The policy for an issuer that the user named itself, such as an identity provider.</summary>
    /// <param name="endpoints">Endpoints that it has published before.</param>
    internal static UrlPolicy ForIssuer(NetworkAccess network, string issuer, params ReadOnlySpan<string?> endpoints)
    {
        var named = new Uri(issuer);
        var policy = new UrlPolicy(named, named) { Network = network };
        policy.Ask(issuer, endpoints);
        return policy;
    }

    internal NetworkAccess Network { get; init; } = NetworkAccess.OfMachine;

    /// <summary>Makes the command by which the user names an issuer; null if there is none.</summary>
    internal Func<string, NextStep>? IssuerCommand { get; init; }

    /// <summary>
    /// Tells that the issuer is asked from now on. If the user named it, its endpoints may be in a private network; if not, the
    /// remedy of a refusal is the command that names it.
    /// </summary>
    /// <param name="endpoints">What it publishes.</param>
    internal void Ask(string issuer, params ReadOnlySpan<string?> endpoints)
    {
        _issuer = issuer;
        if (!IsOfUser(issuer, out var asked))
        {
            return;
        }
        foreach (var endpoint in endpoints)
        {
            if (TryParse(endpoint, out var uri))
            {
                _published[HostOf(uri)] = IsLoopbackHost(asked.IdnHost);
            }
        }
    }

    /// <summary>The URL, checked: absolute, of at most 8 KiB, https (or http on loopback), without user info, at no address that is refused.</summary>
    /// <returns>The URL with its host in ASCII, so that a person sees the host that is visited.</returns>
    /// <remarks>Looks up the server's host, within 5 seconds, if the URL has an address in a private network.</remarks>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public Uri Check(string? url, string what)
    {
        if (!TryParse(url, out var uri) || uri.Scheme is not ("https" or "http"))
        {
            throw Unsafe(what, url, "it is not an absolute http(s) URL");
        }
        if (uri.AbsoluteUri.Length > MaxUrlLength)
        {
            throw Unsafe(what, url, $"it is longer than {MaxUrlLength} characters");
        }
        if (uri.UserInfo.Length > 0)
        {
            throw Unsafe(what, url, "it carries a user name");
        }
        if (!IsSecure(uri))
        {
            throw Unsafe(what, url, "it is plain http outside this machine");
        }
        if (Literal(uri) is { } address && !AllowsAsync(HostOf(uri), address).GetAwaiter().GetResult())
        {
            throw Inside(what, HostOf(uri), address);
        }
        return UntrustedText.WithAsciiHost(uri);
    }

    /// <summary>Refuses an address that a public server must not lead to; called with what a name resolved to.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public void CheckAddress(string host, IPAddress address)
    {
        if (!AllowsAsync(host, address).GetAwaiter().GetResult())
        {
            throw Inside("The address", host, address);
        }
    }

    /// <summary>Those of a host's addresses that may be connected to.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint: there are addresses, and none may be.</exception>
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
        return allowed.Count > 0 || addresses.Length == 0 ? [.. allowed] : throw Inside("The address", host, addresses[0]);
    }

    /// <summary>Tells that a host was reached at an address. A server that was reached on the internet is not inside, whatever DNS says later.</summary>
    internal void Connected(string host, IPAddress address) => _wasServerPublic |=
        _server is not null && host.Equals(HostOf(_server), StringComparison.OrdinalIgnoreCase) && AddressScopes.Classify(address) == AddressScope.Public;

    /// <summary>Whether the user named that issuer.</summary>
    private bool IsOfUser(string issuer, [NotNullWhen(true)] out Uri? uri) => TryParse(issuer, out uri) && _issuers.Contains(uri);

    private async Task<bool> AllowsAsync(string host, IPAddress address)
    {
        var scope = AddressScopes.Classify(address);
        if (scope == AddressScope.Public || _namedByUser.Contains(host))
        {
            return true;
        }
        var isPublished = _published.TryGetValue(host, out var isOfMachine);
        return scope == AddressScope.Machine ? AddressScopes.IsLoopback(address) && (_local || (isPublished && isOfMachine))
            : isPublished || await _isServerInside.Value.ConfigureAwait(false);
    }

    /// <summary>
    /// Whether the server itself is in a private network or on this machine. Every address must be inside: whoever runs a
    /// public server can give its name an address of any private network beside its own.
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
            // The proxy resolves the name, perhaps to something else.
            return false;
        }
        try
        {
            using var limit = new CancellationTokenSource(LookupTimeout);
            var addresses = await Network.ResolveAsync(_server.IdnHost, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
            return addresses.Length > 0 && addresses.All(a => AddressScopes.Classify(a) != AddressScope.Public);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // A server that cannot be found is nowhere inside.
            return false;
        }
    }

    /// <summary>The host as connections name it: an IPv6 address without its brackets.</summary>
    private static string HostOf(Uri uri) => uri.IdnHost.Trim('[', ']');

    /// <summary>The address that the URL has in place of a name; null for other names than those of this machine.</summary>
    private static IPAddress? Literal(Uri uri) => IPAddress.TryParse(HostOf(uri), out var address) ? address
        : LoopbackName.Matches(uri.IdnHost) ? IPAddress.Loopback : null;

    /// <summary>
    /// An absolute URL with a host that has an ASCII form (.NET takes others too, and throws later), and that printed
    /// means itself: of some hidden characters .NET makes a host that whoever reads it next takes for an address.
    /// </summary>
    /// <remarks>Uri.TryCreate itself throws at a few texts, such as "//" and a right-to-left override.</remarks>
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

    /// <summary>Where an answer's Location leads from the URL that was asked, whatever the scheme; null where that is no URL.</summary>
    internal static Uri? Target(HttpResponseMessage response, Uri asked)
    {
        try
        {
            return response.Headers.Location is { } location && Uri.TryCreate(asked, location, out var target)
                && TryParse(target.AbsoluteUri, out var parsed) ? parsed : null;
        }
        catch (Exception e) when (e is UriFormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>https, or http to this very machine.</summary>
    public static bool IsSecure(Uri uri) => uri.Scheme == "https" || (uri.Scheme == "http" && IsLoopbackHost(uri.IdnHost));

    /// <summary>Whether the host of a URL is this machine: an address on loopback, or <c>localhost</c> and the names under it.</summary>
    public static bool IsLoopbackHost(string host) => LoopbackName.Matches(host)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && AddressScopes.IsLoopback(address));

    private McpAuthException Inside(string what, string host, IPAddress address)
    {
        var isPrivate = AddressScopes.Classify(address) == AddressScope.Private;
        var where = isPrivate ? "in a private network" : "of this machine, its link or its cloud";
        var whose = host == address.ToString() ? $"{address} is an address {where}" : $"{UntrustedText.Sanitize(host)} is at {address}, an address {where}";
        return new McpAuthException(ErrorReason.UnsafeEndpoint, $"{what} is not safe to visit: {whose}, and a public server must not lead there.",
            isPrivate && IssuerCommand is { } command && _issuer is { } issuer && !IsOfUser(issuer, out _)
                ? (Remedy)$"If you trust that issuer: {command(issuer)}" : PublicHost);
    }

    private const string PublicHost = "Ask whoever runs the server to publish an https URL of a public host.";

    private static McpAuthException Unsafe(string what, string? url, string why) =>
        new(ErrorReason.UnsafeEndpoint, $"{what} is not safe to visit: {why} ({Show(url)}).",
            PublicHost);

    /// <summary>Host and path of a foreign URL; its user info and query may hold secrets.</summary>
    private static string Show(string? url) =>
        TryParse(url, out var uri) && uri.Host.Length > 0
            ? UntrustedText.Sanitize(UntrustedText.WithAsciiHost(uri).GetLeftPart(UriPartial.Path))
            : UntrustedText.Sanitize(url?.Split('?', '#')[0]);
}
