using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.HttpProxy;

namespace McpSm.Relay.Tests.HttpProxy;

/// <summary>A proxy that runs in the process of the test, with a configuration folder of its own.</summary>
internal sealed class HttpProxyFixture : IAsyncDisposable
{
    public const string Bearer = "bearer-of-the-callers-of-the-proxy-1234567890";
    public const string ServerToken = "token-of-the-server";

    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource<int> _started = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("mcpsm-http-").FullName;
    private readonly Authenticator _authenticator;
    private readonly Task _running;

    private HttpProxyFixture(int maxMessage, string[] origins)
    {
        _authenticator = new Authenticator(new AppEnvironment(name => name switch { "MCPSM_CONFIG_DIR" => _folder, "MCPSM_VAULT" => "file", _ => null }),
            new SilentInteraction());
        _running = Task.Run(() => new KestrelHttpProxy().RunAsync(new HttpProxyOptions
        {
            FindServer = Servers.GetValueOrDefault,
            Connect = server => new AuthenticatingHandler(server, _authenticator, new SignInOptions()),
            FindCommand = (_, server) => $"mcpsm auth login {server.Id}",
            Bearer = Bearer,
            AllowedOrigins = origins,
            Started = _started.SetResult,
            Relay = new RelayOptions { MaxClientMessage = maxMessage, Log = Log.Enqueue, Warn = Warnings.Enqueue, Time = Time },
        }, _end.Token));
    }

    public ConcurrentDictionary<string, McpServer> Servers { get; } = new();

    public ConcurrentQueue<string> Log { get; } = new();

    public ConcurrentQueue<string> Warnings { get; } = new();

    public ShiftedTime Time { get; } = new();

    public int Port { get; private set; }

    public Uri Url => new($"http://127.0.0.1:{Port}/my-api");

    /// <summary>A caller with the bearer token.</summary>
    public HttpClient Client { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Starts a proxy of one server, <c>my-api</c>.</summary>
    public static async Task<HttpProxyFixture> StartAsync(Uri server, McpTransport transport = McpTransport.Http, bool isSignedIn = true,
        int maxMessage = 1024 * 1024, params string[] origins)
    {
        var fixture = new HttpProxyFixture(maxMessage, origins);
        await fixture.AddAsync("my-api", server, transport, isSignedIn);
        var started = await Task.WhenAny(fixture._started.Task, fixture._running);
        await started;
        fixture.Port = await fixture._started.Task;
        fixture.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Bearer);
        fixture.Client.DefaultRequestHeaders.Accept.ParseAdd("application/json, text/event-stream");
        return fixture;
    }

    /// <summary>Adds a server, or changes it.</summary>
    public async Task AddAsync(string id, Uri url, McpTransport transport = McpTransport.Http, bool isSignedIn = true)
    {
        var server = new McpServer { Name = id, Url = url.OriginalString, Transport = transport, OAuth = OAuthMode.Off };
        server = _authenticator.Catalog.Find(id) is null ? await _authenticator.Catalog.AddAsync(server, CancellationToken.None)
            : await _authenticator.Catalog.UpdateAsync(id, _ => server, CancellationToken.None);
        if (isSignedIn)
        {
            await _authenticator.Servers.SetTokenAsync(server, ServerToken, null, CancellationToken.None);
        }
        Servers[id] = server;
    }

    public Task<HttpResponseMessage> PostAsync(string json, Action<HttpRequestMessage>? change = null, string? path = null) =>
        SendAsync(HttpMethod.Post, request =>
        {
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
            change?.Invoke(request);
        }, path);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, Action<HttpRequestMessage>? change = null, string? path = null)
    {
        using var request = new HttpRequestMessage(method, path is null ? Url : new Uri(Url, path));
        change?.Invoke(request);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    /// <summary>Sends bytes as they are, and returns what comes until the proxy closes the connection.</summary>
    public async Task<string> SendRawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port, Cancellation);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request.Replace("{port}", $"{Port}").Replace("{bearer}", Bearer)), Cancellation);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
    }

    /// <summary>Ends the proxy, as a signal does.</summary>
    public async Task EndAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromSeconds(20));
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        Client.Dispose();
        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
