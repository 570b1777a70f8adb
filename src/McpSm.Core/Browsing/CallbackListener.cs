using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace McpSm.Core.Browsing;

/// <summary>An answer whose <c>state</c> fits, with the browser still waiting for its page.</summary>
public sealed class CallbackAnswer(IReadOnlyDictionary<string, string> values)
{
    internal TaskCompletionSource<bool> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal TaskCompletionSource Shown { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyDictionary<string, string> Values { get; } = values;

    /// <summary>Tells the browser how the sign-in ended, and waits until it was told, a second at most.</summary>
    public async Task FinishAsync(bool signedIn)
    {
        Outcome.TrySetResult(signedIn);
        await Task.WhenAny(Shown.Task, Task.Delay(TimeSpan.FromSeconds(1))).ConfigureAwait(false);
    }
}

/// <summary>
/// The loopback redirect (RFC 8252 section 7.3): bound to 127.0.0.1 before the browser opens, it answers one exact
/// path, refuses a missing or wrong <c>state</c> and waits on, and ignores strays (rule 31). HttpListener of the base
/// library cannot take a free port, and a web server is too much for one request: hence the few lines of HTTP here.
/// </summary>
public sealed class CallbackListener : IDisposable
{
    public const string Path = "/callback";

    private const int LargestRequest = 16 * 1024;
    private const int MostConnections = 32;

    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly string _host;
    private readonly string _path;
    private readonly CancellationTokenSource _end = new();
    private readonly Channel<CallbackAnswer> _answers = Channel.CreateUnbounded<CallbackAnswer>();
    private readonly SemaphoreSlim _places = new(MostConnections);
    private string _state = "";
    private string _server = "";
    private int _answered;

    private CallbackListener(Socket socket, string host, string path) => (_socket, _host, _path) = (socket, host, path);

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public string RedirectUri => $"http://{_host}:{Port}{_path}";

    /// <summary>Whether an answer with a missing or foreign state was refused.</summary>
    public bool SawForeignState { get; private set; }

    /// <summary>Binds the port; 0 is any free one. Null where it is taken.</summary>
    public static CallbackListener? TryBind(int port) => TryBind(port, "127.0.0.1", Path);

    /// <summary>
    /// The same for Entra ID, whose forms take no <c>http://127.0.0.1</c>: of <c>http://localhost</c>, without a path, it
    /// lets any port pass (RFC 8252 section 8.3 says why that is worse).
    /// </summary>
    public static CallbackListener? TryBindLocalhost(int port) => TryBind(port, "localhost", "");

    private static CallbackListener? TryBind(int port, string host, string path)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (OperatingSystem.IsWindows())
            {
                // Another program could else bind the same port and take the code. Not to be set elsewhere, even to false:
                // there it would let another sign-in have the port too.
                socket.ExclusiveAddressUse = true;
            }
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            socket.Listen(MostConnections);
            return new CallbackListener(socket, host, path);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Starts to answer.</summary>
    public void Start(string state, string server)
    {
        _state = state;
        _server = server;
        _ = AcceptAsync();
    }

    /// <summary>The answer to this sign-in.</summary>
    public async Task<CallbackAnswer> WaitAsync(CancellationToken cancellationToken) =>
        await _answers.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>The values of a redirected URL that a person pasted; null where it is not this sign-in's.</summary>
    public IReadOnlyDictionary<string, string>? ReadPasted(string text)
    {
        text = text.Trim();
        if (!text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || !Uri.TryCreate(text, UriKind.Absolute, out var url) || !url.IsLoopback || !IsPath(url.AbsolutePath))
        {
            return null;
        }
        var values = ReadQuery(url.Query);
        if (values?.GetValueOrDefault("state") != _state)
        {
            SawForeignState = true;
            return null;
        }
        return Interlocked.Exchange(ref _answered, 1) == 0 ? values : null;
    }

    public void Dispose()
    {
        _end.Cancel();
        _socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await _places.WaitAsync(_end.Token).ConfigureAwait(false);
                _ = AnswerAsync(await _socket.AcceptAsync(_end.Token).ConfigureAwait(false));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // That one connection broke before it was accepted; its place is free for the next.
                _places.Release();
            }
        }
    }

    private async Task AnswerAsync(Socket connection)
    {
        try
        {
            using var stream = new NetworkStream(connection, ownsSocket: true);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            limit.CancelAfter(RequestLimit);
            var head = await ReadHeadAsync(stream, limit.Token).ConfigureAwait(false);
            if (head is not null)
            {
                await RouteAsync(stream, head).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // A browser that hangs up, or is too slow, has nobody left to be told.
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task RouteAsync(NetworkStream stream, string head)
    {
        var lines = head.Split("\r\n");
        var parts = lines[0].Split(' ');
        var host = lines.Skip(1).FirstOrDefault(l => l.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))?[5..].Trim();
        if (parts.Length != 3 || parts[0] is not ("GET" or "HEAD"))
        {
            await SendAsync(stream, "405 Method Not Allowed", CallbackPage.Stray).ConfigureAwait(false);
            return;
        }
        // Another name that leads here is a page trying to reach this machine through its own.
        if (host != $"127.0.0.1:{Port}" && host != $"localhost:{Port}" && !(Port == 80 && host is "127.0.0.1" or "localhost"))
        {
            await SendAsync(stream, "400 Bad Request", CallbackPage.Stray).ConfigureAwait(false);
            return;
        }
        var question = parts[1].IndexOf('?');
        if (!IsPath(question < 0 ? parts[1] : parts[1][..question]))
        {
            await SendAsync(stream, "404 Not Found", CallbackPage.Stray).ConfigureAwait(false);
            return;
        }
        var values = ReadQuery(question < 0 ? "" : parts[1][question..]);
        if (values?.GetValueOrDefault("state") != _state)
        {
            SawForeignState = true;
            await SendAsync(stream, "400 Bad Request", CallbackPage.Stray).ConfigureAwait(false);
            return;
        }
        if (parts[0] != "GET" || Interlocked.Exchange(ref _answered, 1) != 0)
        {
            await SendAsync(stream, "400 Bad Request", CallbackPage.Stray).ConfigureAwait(false);
            return;
        }
        var answer = new CallbackAnswer(values!);
        _answers.Writer.TryWrite(answer);
        var signedIn = await answer.Outcome.Task.WaitAsync(_end.Token).ConfigureAwait(false);
        await SendAsync(stream, signedIn ? "200 OK" : "400 Bad Request",
            signedIn ? CallbackPage.Success(_server) : CallbackPage.Failure(_server)).ConfigureAwait(false);
        answer.Shown.TrySetResult();
    }

    private bool IsPath(string path) => path == (_path.Length == 0 ? "/" : _path);

    /// <summary>The query's values; null where one is repeated, which RFC 6749 section 3.1 forbids.</summary>
    private static Dictionary<string, string>? ReadQuery(string query)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            var name = WebUtility.UrlDecode(equals < 0 ? pair : pair[..equals]);
            if (!values.TryAdd(name, equals < 0 ? "" : WebUtility.UrlDecode(pair[(equals + 1)..])))
            {
                return null;
            }
        }
        return values;
    }

    private static async Task<string?> ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[LargestRequest];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return null;
            }
            length += read;
            var end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                return Encoding.Latin1.GetString(buffer, 0, end);
            }
        }
        return null;
    }

    private static async Task SendAsync(NetworkStream stream, string status, string page)
    {
        var body = Encoding.UTF8.GetBytes(page);
        var head = $"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {body.Length}\r\n"
            + $"Content-Security-Policy: {CallbackPage.Policy}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
            + "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head)).ConfigureAwait(false);
        await stream.WriteAsync(body).ConfigureAwait(false);
        await stream.FlushAsync().ConfigureAwait(false);
    }
}
