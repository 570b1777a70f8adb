using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace McpSm.Core.Browsing;

/// <summary>
/// The server for the loopback redirect URI (RFC 8252 section 7.3). It is bound before the browser opens and serves exactly two paths. It rejects a
/// callback with a missing or wrong <c>state</c> and keeps waiting, and it ignores other requests (rule 31 of docs/rules.md). HttpListener cannot
/// bind a free port, and a web server is too large for two requests, so this type implements the little HTTP that it needs.
/// </summary>
internal sealed class CallbackListener : IDisposable
{
    public const string Path = "/callback";

    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(10);

    private readonly LoopbackPort _port;
    private readonly LoopbackRequests _requests;
    private readonly string _host;
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _disposal = new();
    private readonly Channel<CallbackResponse> _responses = Channel.CreateUnbounded<CallbackResponse>();
    private readonly TaskCompletionSource _never = new();
    private StartLink? _start;
    private string _state = "";
    private string _server = "";
    private int _answered;

    private CallbackListener(LoopbackPort port, string host, string path, TimeProvider time)
    {
        (_port, _host, _path, _time) = (port, host, path, time);
        _requests = new LoopbackRequests(port, time, AnswerAsync);
        Port = port.Number;
    }

    public int Port { get; }

    public string RedirectUri => $"http://{_host}:{Port}{_path}";

    /// <summary>
    /// The one-time URL for the browser, which redirects to the authorization URL. Its host is always 127.0.0.1, because that address is always
    /// bound. Null if no browser is started.
    /// </summary>
    public Uri? StartUri => _start is null ? null : new Uri($"http://127.0.0.1:{Port}{_start.Path}");

    /// <summary>Completes when a browser has opened <see cref="StartUri"/>.</summary>
    public Task Started => _start?.Fetched ?? _never.Task;

    /// <summary>Completes when a second browser, without the cookie of the first, has opened <see cref="StartUri"/>.</summary>
    public Task Contested => _start?.Contested ?? _never.Task;

    /// <summary>Whether a callback with a missing or wrong state was rejected.</summary>
    public bool SawForeignState { get; private set; }

    /// <summary>Binds a port of 127.0.0.1. Returns null if the port is in use.</summary>
    /// <param name="port">The port; 0 for any free port.</param>
    /// <param name="time">The clock of the time limits.</param>
    public static CallbackListener? TryBind(int port, TimeProvider time) =>
        LoopbackPort.TryBind(port) is { } bound ? new CallbackListener(bound, "127.0.0.1", Path, time) : null;

    /// <summary>
    /// Does the same for issuers that do not accept <c>http://127.0.0.1</c> (RFC 8252 section 8.3 says why <c>localhost</c> is worse). Binds
    /// 127.0.0.1 and, on the same port, ::1 if this machine has IPv6. Returns null if either is in use.
    /// </summary>
    /// <param name="port">The port; 0 for any free port.</param>
    /// <param name="path">The path of the redirect URI. It is empty for Entra ID, which then accepts any port.</param>
    /// <param name="time">The clock of the time limits.</param>
    public static CallbackListener? TryBindLocalhost(int port, string path, TimeProvider time) =>
        LoopbackPort.TryBindBoth(port) is { } bound ? new CallbackListener(bound, "localhost", path, time) : null;

    /// <summary>Starts to accept requests.</summary>
    /// <param name="state">The state of the sign-in.</param>
    /// <param name="server">The name of the server, for the page.</param>
    /// <param name="authorizationUrl">The target of <see cref="StartUri"/>; null if no browser is started.</param>
    public void Start(string state, string server, Uri? authorizationUrl = null)
    {
        _state = state;
        _server = server;
        _start = authorizationUrl is null ? null : new StartLink(authorizationUrl);
        _requests.Start();
    }

    /// <summary>Waits for the callback of this sign-in.</summary>
    public async Task<CallbackResponse> WaitAsync(CancellationToken cancellationToken) =>
        await _responses.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Returns the parameters of a callback URL that the user pasted; null if the URL does not belong to this sign-in.</summary>
    public IReadOnlyDictionary<string, string>? ReadPasted(string text)
    {
        text = text.Trim();
        if (!text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || !Uri.TryCreate(text, UriKind.Absolute, out var url) || !url.IsLoopback || !IsPath(url.AbsolutePath))
        {
            return null;
        }
        var values = HttpRequestHead.ReadQuery(url.Query);
        if (values?.GetValueOrDefault("state") != _state)
        {
            SawForeignState = true;
            return null;
        }
        return Interlocked.Exchange(ref _answered, 1) == 0 ? values : null;
    }

    public void Dispose()
    {
        _disposal.Cancel();
        _requests.Dispose();
    }

    private async Task AnswerAsync(NetworkStream stream, HttpRequestHead? head)
    {
        if (head is null)
        {
            await SendAsync(stream, "400 Bad Request", CallbackPage.NotFound).ConfigureAwait(false);
        }
        else if (head.Method is not ("GET" or "HEAD"))
        {
            await SendAsync(stream, "405 Method Not Allowed", CallbackPage.NotFound).ConfigureAwait(false);
        }
        // A request with another host name may come from a web page that uses DNS rebinding.
        else if (!IsHost(head.Field("Host")))
        {
            await SendAsync(stream, "400 Bad Request", CallbackPage.NotFound).ConfigureAwait(false);
        }
        else if (_start is { } start && start.IsPath(head.Path))
        {
            await AnswerStartAsync(stream, head, start).ConfigureAwait(false);
        }
        else if (IsPath(head.Path))
        {
            await AnswerCallbackAsync(stream, head).ConfigureAwait(false);
        }
        else
        {
            await SendAsync(stream, "404 Not Found", CallbackPage.NotFound).ConfigureAwait(false);
        }
    }

    private async Task AnswerStartAsync(NetworkStream stream, HttpRequestHead head, StartLink start)
    {
        switch (start.HandleRequest(head))
        {
            case StartLink.Answer.Redirect when Volatile.Read(ref _answered) == 0:
                var sent = false;
                try
                {
                    await SendAsync(stream, "302 Found", "", $"Location: {start.Location}\r\nSet-Cookie: {start.SetCookie}\r\n").ConfigureAwait(false);
                    sent = true;
                }
                finally
                {
                    start.Sent(sent);
                }
                break;
            case StartLink.Answer.Nothing:
                await SendAsync(stream, "200 OK", "").ConfigureAwait(false);
                break;
            case StartLink.Answer.Later:
                await SendAsync(stream, "503 Service Unavailable", CallbackPage.NotFound).ConfigureAwait(false);
                break;
            case StartLink.Answer.Contested:
                // A callback that arrives from now on may come from the other browser.
                Volatile.Write(ref _answered, 1);
                try
                {
                    await SendAsync(stream, "403 Forbidden", CallbackPage.Failure(_server)).ConfigureAwait(false);
                }
                finally
                {
                    // Only after the page was sent: this ends the sign-in, and perhaps the process.
                    start.Contest();
                }
                break;
            default:
                await SendAsync(stream, "400 Bad Request", CallbackPage.NotFound).ConfigureAwait(false);
                break;
        }
    }

    private async Task AnswerCallbackAsync(NetworkStream stream, HttpRequestHead head)
    {
        var values = HttpRequestHead.ReadQuery(head.Query);
        if (values?.GetValueOrDefault("state") != _state)
        {
            SawForeignState = true;
            await SendAsync(stream, "400 Bad Request", CallbackPage.NotFound).ConfigureAwait(false);
            return;
        }
        if (head.Method != "GET" || Interlocked.Exchange(ref _answered, 1) != 0)
        {
            await SendAsync(stream, "400 Bad Request", CallbackPage.NotFound).ConfigureAwait(false);
            return;
        }
        var answer = new CallbackResponse(values!, _time);
        _responses.Writer.TryWrite(answer);
        var signedIn = await answer.Outcome.Task.WaitAsync(_disposal.Token).ConfigureAwait(false);
        await SendAsync(stream, signedIn ? "200 OK" : "400 Bad Request",
            signedIn ? CallbackPage.Success(_server) : CallbackPage.Failure(_server)).ConfigureAwait(false);
        answer.IsShown.TrySetResult();
    }

    private bool IsPath(string path) => path == (_path.Length == 0 ? "/" : _path);

    private bool IsHost(string? host) => host == $"127.0.0.1:{Port}" || host == $"localhost:{Port}" || (_port.HasIPv6 && host == $"[::1]:{Port}")
        // Browsers omit the default port.
        || (Port == 80 && (host is "127.0.0.1" or "localhost" || (_port.HasIPv6 && host == "[::1]")));

    /// <summary>Sends a response with a page.</summary>
    /// <param name="stream">The connection.</param>
    /// <param name="status">The status code and reason phrase.</param>
    /// <param name="page">The HTML page.</param>
    /// <param name="fields">Additional header fields, each with its line end.</param>
    private async Task SendAsync(NetworkStream stream, string status, string page, string fields = "")
    {
        var body = Encoding.UTF8.GetBytes(page);
        var head = $"HTTP/1.1 {status}\r\n{fields}Content-Type: text/html; charset=utf-8\r\nContent-Length: {body.Length}\r\n"
            + $"Content-Security-Policy: {CallbackPage.Policy}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
            + "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
        // The end of the sign-in must not cancel this, because the page shows how the sign-in ended.
        using var limit = new CancellationTokenSource(SendTimeout, _time);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), limit.Token).ConfigureAwait(false);
        await stream.WriteAsync(body, limit.Token).ConfigureAwait(false);
    }
}
