using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace McpSm.Core.Browsing;

/// <summary>
/// The one-time URL that the browser is started with. Other users of this machine can read program arguments: with the authorization URL they could
/// complete the sign-in with their own account. The first browser that opens this URL is redirected to the authorization URL and gets a cookie.
/// Another browser without the cookie ends the sign-in.
/// </summary>
internal sealed class StartLink(Uri target)
{
    private const string CookieName = "mcpsm-start";

    private readonly string _cookie = Random();
    private readonly TaskCompletionSource _fetched = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _contested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isUsed;

    /// <summary>How to respond to a request for the URL.</summary>
    public enum Answer
    {
        /// <summary>Redirect to the authorization URL and set the cookie.</summary>
        Redirect,
        /// <summary>Send an empty response to a HEAD request.</summary>
        Nothing,
        /// <summary>Reject a prefetch, so that the browser repeats the request if the user opens the URL.</summary>
        Later,
        /// <summary>Reject a second browser.</summary>
        Contested,
    }

    public string Path { get; } = "/start/" + Random();

    /// <summary>The authorization URL in the form for a header field.</summary>
    public string Location { get; } = (target.HostNameType == UriHostNameType.Dns && target.Host != target.IdnHost
        ? new UriBuilder(target) { Host = target.IdnHost }.Uri : target).AbsoluteUri;

    public string SetCookie => $"{CookieName}={_cookie}; Path={Path}; HttpOnly; SameSite=Lax";

    /// <summary>Completes when a browser has been redirected.</summary>
    public Task Fetched => _fetched.Task;

    /// <summary>Completes when a second browser has been rejected.</summary>
    public Task Contested => _contested.Task;

    public bool IsPath(string path) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(path), Encoding.UTF8.GetBytes(Path));

    public Answer HandleRequest(HttpRequestHead head)
    {
        if (head.Method == "HEAD")
        {
            return Answer.Nothing;
        }
        // Sec-Purpose is from the Fetch standard; older browsers send the others.
        if (new[] { "Sec-Purpose", "Purpose", "X-Purpose", "X-Moz" }.Any(name => head.Field(name) is { } purpose
            && new[] { "prefetch", "prerender", "preview" }.Any(p => purpose.Contains(p, StringComparison.OrdinalIgnoreCase))))
        {
            return Answer.Later;
        }
        if (Interlocked.Exchange(ref _isUsed, 1) == 0 || HasCookie(head))
        {
            return Answer.Redirect;
        }
        return Answer.Contested;
    }

    /// <summary>Records whether the redirect was sent completely. If not, the browser retries without a cookie.</summary>
    public void Sent(bool whole)
    {
        if (whole)
        {
            _fetched.TrySetResult();
        }
        else if (!_fetched.Task.IsCompleted)
        {
            Volatile.Write(ref _isUsed, 0);
        }
    }

    /// <summary>Records that the response to a second browser was sent.</summary>
    public void Contest() => _contested.TrySetResult();

    private bool HasCookie(HttpRequestHead head) => head.Field("Cookie") is { } cookies && cookies.Split(';').Any(c =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(c.Trim()), Encoding.UTF8.GetBytes($"{CookieName}={_cookie}")));

    /// <summary>Returns 256 random bits as 43 characters.</summary>
    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
