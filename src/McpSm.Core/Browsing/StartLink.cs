using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace McpSm.Core.Browsing;

/// <summary>
/// The one-time address that a browser is started with. Other users of this machine can read the arguments of its programs:
/// with the authorization URL itself they could finish the sign-in as themselves. The first browser that opens this address
/// is sent on to that URL and gets a cookie; another one without the cookie ends the sign-in.
/// </summary>
internal sealed class StartLink(Uri target)
{
    private const string CookieName = "mcpsm-start";

    private readonly string _cookie = Random();
    private readonly TaskCompletionSource _fetched = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _contested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _taken;

    /// <summary>What a request for the address is answered with.</summary>
    public enum Answer
    {
        /// <summary>The authorization URL, with the cookie.</summary>
        Redirect,
        /// <summary>Nothing of worth: it only asks whether something is there (HEAD).</summary>
        Nothing,
        /// <summary>A refusal: a browser that guesses what a person may open next is to come back if they do.</summary>
        Later,
        /// <summary>A refusal: a second browser came.</summary>
        Contested,
    }

    public string Path { get; } = "/start/" + Random();

    /// <summary>The authorization URL as a header field carries it.</summary>
    public string Location { get; } = (target.HostNameType == UriHostNameType.Dns && target.Host != target.IdnHost
        ? new UriBuilder(target) { Host = target.IdnHost }.Uri : target).AbsoluteUri;

    public string SetCookie => $"{CookieName}={_cookie}; Path={Path}; HttpOnly; SameSite=Lax";

    /// <summary>Ends once a browser has been sent on.</summary>
    public Task Fetched => _fetched.Task;

    /// <summary>Ends once a second browser has come.</summary>
    public Task Contested => _contested.Task;

    public bool IsPath(string path) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(path), Encoding.UTF8.GetBytes(Path));

    public Answer HandleRequest(HttpRequestHead head)
    {
        if (head.Method == "HEAD")
        {
            return Answer.Nothing;
        }
        // The first name is of the Fetch standard, the others are what browsers sent before it.
        if (new[] { "Sec-Purpose", "Purpose", "X-Purpose", "X-Moz" }.Any(name => head.Field(name) is { } purpose
            && new[] { "prefetch", "prerender", "preview" }.Any(p => purpose.Contains(p, StringComparison.OrdinalIgnoreCase))))
        {
            return Answer.Later;
        }
        if (Interlocked.Exchange(ref _taken, 1) == 0 || HasCookie(head))
        {
            return Answer.Redirect;
        }
        return Answer.Contested;
    }

    /// <summary>Says whether the redirect has been sent. If not, the browser comes again, and has no cookie yet.</summary>
    public void Sent(bool whole)
    {
        if (whole)
        {
            _fetched.TrySetResult();
        }
        else if (!_fetched.Task.IsCompleted)
        {
            Volatile.Write(ref _taken, 0);
        }
    }

    /// <summary>Says that a second browser has been told.</summary>
    public void Contest() => _contested.TrySetResult();

    private bool HasCookie(HttpRequestHead head) => head.Field("Cookie") is { } cookies && cookies.Split(';').Any(c =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(c.Trim()), Encoding.UTF8.GetBytes($"{CookieName}={_cookie}")));

    /// <summary>256 bits as 43 characters.</summary>
    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
