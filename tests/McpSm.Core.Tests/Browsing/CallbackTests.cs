using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Web;
using McpSm.Core.Browsing;
using McpSm.Core.Errors;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Browsing;

/// <summary>The loopback redirect of a sign-in with the state <c>good</c>.</summary>
public sealed class CallbackTests : IDisposable
{
    private readonly CallbackListener _listener = CallbackListener.TryBind(0, TimeProvider.System)!;
    private readonly Task<CallbackResponse> _answer;

    public CallbackTests()
    {
        _listener.Start("good", "<my> api");
        _answer = _listener.WaitAsync(default);
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>Sends the right callback, requires that no earlier request ended the wait, and returns the page.</summary>
    private async Task<string> AnswerAsync(string query = "/callback?code=c&state=good", bool signedIn = true)
    {
        Assert.False(_answer.IsCompleted);
        var page = RawHttp.GetAsync(_listener.Port, query);
        await (await _answer.WaitAsync(TimeSpan.FromSeconds(5))).FinishAsync(signedIn);
        return await page;
    }

    [Fact]
    public async Task Callback_port_is_exclusive_during_sign_in_and_free_after_it()
    {
        var port = _listener.Port;
        Assert.Null(CallbackListener.TryBind(port, TimeProvider.System));
        await AnswerAsync();
        _listener.Dispose();
        using var next = CallbackListener.TryBind(port, TimeProvider.System);
        Assert.NotNull(next);
    }

    [Rule(31)]
    [Theory]
    [InlineData("GET", "/", 404)]
    [InlineData("GET", "/callback/?code=x&state=good", 404)]
    [InlineData("GET", "/Callback?code=x&state=good", 404)]
    [InlineData("GET", "/favicon.ico", 404)]
    [InlineData("GET", "http://127.0.0.1/callback?code=x&state=good", 404)]
    [InlineData("POST", "/callback?code=x&state=good", 405)]
    [InlineData("OPTIONS", "/callback?code=x&state=good", 405)]
    [InlineData("HEAD", "/callback?code=x&state=good", 400)]
    [InlineData("GET", "/callback", 400)]
    [InlineData("GET", "/callback?code=x", 400)]
    [InlineData("GET", "/callback?code=x&state=", 400)]
    [InlineData("GET", "/callback?code=x&state=Good", 400)]
    [InlineData("GET", "/callback?code=x&state=good%20", 400)]
    [InlineData("GET", "/callback?error=access_denied&state=wrong", 400)]
    [InlineData("GET", "/callback?code=x&state=good&state=good", 400)]
    [InlineData("GET", "/callback?code=x&code=y&state=good", 400)]
    [InlineData("GET", "/callback?code=x&state=good&stat%65=bad", 400)]
    public async Task Request_that_is_not_the_callback_is_refused_and_the_wait_goes_on(string method, string target, int status)
    {
        Assert.Equal(status, RawHttp.Status(await RawHttp.GetAsync(_listener.Port, target, method)));
        Assert.Equal(200, RawHttp.Status(await AnswerAsync()));
    }

    [Rule(31)]
    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:{0}")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1.evil.example:{0}")]
    [InlineData("")]
    public async Task Request_with_another_host_is_refused(string host)
    {
        var answer = await RawHttp.GetAsync(_listener.Port, "/callback?code=x&state=good", host: string.Format(host, _listener.Port));
        Assert.Equal(400, RawHttp.Status(answer));
        Assert.Equal(200, RawHttp.Status(await AnswerAsync()));
    }

    [Rule(16, 26)]
    [Fact]
    public async Task State_that_was_used_is_refused()
    {
        var first = RawHttp.GetAsync(_listener.Port, "/callback?code=first&state=good");
        var answer = await _answer.WaitAsync(TimeSpan.FromSeconds(5), Cancellation);
        var second = await RawHttp.GetAsync(_listener.Port, "/callback?code=second&state=good");
        await answer.FinishAsync(true);
        Assert.Equal("first", answer.Values["code"]);
        Assert.Equal(400, RawHttp.Status(second));
        Assert.Equal(200, RawHttp.Status(await first));
        Assert.Equal(400, RawHttp.Status(await RawHttp.GetAsync(_listener.Port, "/callback?code=third&state=good")));
        Assert.Null(_listener.ReadPasted($"{_listener.RedirectUri}?code=fourth&state=good"));
    }

    [Rule(31)]
    [Fact]
    public async Task Stray_connections_do_not_block_the_callback()
    {
        var silent = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 8; i++)
            {
                silent.Add(await RawHttp.ConnectAsync(_listener.Port));
            }
            var half = await RawHttp.ConnectAsync(_listener.Port);
            silent.Add(half);
            await half.GetStream().WriteAsync("GET /callback?code=x&sta"u8.ToArray(), Cancellation);
            using (await RawHttp.ConnectAsync(_listener.Port))
            {
                // A connection without a request, as a browser's preconnect.
            }
            // A TLS greeting, bytes of no protocol, a head without an end, and an incomplete request line.
            await RawHttp.SendAsync(_listener.Port, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
            await RawHttp.SendAsync(_listener.Port, "\0\xff\r\n\r\n");
            await RawHttp.SendAsync(_listener.Port, "GET /callback?code=x&state=good HTTP/1.1\r\nX: " + new string('x', 20_000));
            await RawHttp.SendAsync(_listener.Port, "GET\r\n\r\n");
            await RawHttp.SendAsync(_listener.Port, "\r\n\r\n");
            Assert.Equal(200, RawHttp.Status(await AnswerAsync()));
        }
        finally
        {
            silent.ForEach(c => c.Dispose());
        }
    }

    [Rule(31)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Result_page_echoes_no_input_and_runs_no_script(bool signedIn)
    {
        const string planted = "%3Cscript%3Eplanted%3C%2Fscript%3E";
        var refused = await RawHttp.GetAsync(_listener.Port, $"/callback?code=x&state={planted}&{planted}={planted}");
        var astray = await RawHttp.GetAsync(_listener.Port, $"/{planted}<script>planted</script>");
        var page = await AnswerAsync($"/callback?code={planted}&state=good&error_description={planted}&{planted}=1", signedIn);
        Assert.Equal(signedIn ? 200 : 400, RawHttp.Status(page));
        Assert.Contains(signedIn ? "Signed in to &lt;my&gt; api" : "Not signed in to &lt;my&gt; api", page);
        foreach (var answer in new[] { refused, astray, page })
        {
            Assert.DoesNotContain("planted", answer);
            Assert.DoesNotContain("<script", answer);
            var policy = Assert.Single(answer.Split("\r\n"), l => l.StartsWith("Content-Security-Policy: "));
            Assert.Contains("default-src 'none'", policy);
            Assert.Contains("frame-ancestors 'none'", policy);
            Assert.Contains("form-action 'none'", policy);
            Assert.DoesNotContain("unsafe-inline", policy);
            Assert.Contains("\r\nCache-Control: no-store\r\n", answer);
            Assert.Contains("\r\nReferrer-Policy: no-referrer\r\n", answer);
        }
    }

    [Rule(31)]
    [Fact]
    public void Listener_is_bound_only_to_127_0_0_1()
    {
        var bound = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(p => p.Port == _listener.Port);
        Assert.Equal([IPAddress.Loopback], bound.Select(p => p.Address));
        Assert.Equal($"http://127.0.0.1:{_listener.Port}/callback", _listener.RedirectUri);
    }

    [Rule(31)]
    [Fact]
    public async Task Listener_starts_before_the_browser_and_closes_after_sign_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        var port = 0;
        var status = 0;
        scene.Person.Opening = url =>
        {
            port = new Uri(HttpUtility.ParseQueryString(url.Query)["redirect_uri"]!).Port;
            status = RawHttp.Status(RawHttp.GetAsync(port, "/").GetAwaiter().GetResult());
        };
        await scene.LoginAsync();
        await scene.Person.PageAsync();
        Assert.Equal(404, status);
        await Assert.ThrowsAnyAsync<SocketException>(() => RawHttp.ConnectAsync(port));
    }

    [Rule(31)]
    [Fact]
    public async Task Wrong_state_gets_400_and_is_reported_at_the_timeout()
    {
        await using var scene = await SignInFixture.StartAsync();
        var status = 0;
        scene.Person.Browse = async url =>
        {
            var redirect = HttpUtility.ParseQueryString(url.Query)["redirect_uri"];
            using var http = new HttpClient();
            status = (int)(await http.GetAsync(redirect + "?code=x&state=wrong")).StatusCode;
        };
        Assert.Equal(ErrorReason.StateMismatch, (await scene.FailsAsync(o => o with { Timeout = TimeSpan.FromSeconds(2) })).Reason);
        Assert.Equal(400, status);
        Assert.Empty(scene.Issuer.Traffic.To("/token"));
    }

    [Fact]
    public async Task Cancellation_after_a_wrong_state_is_a_cancellation()
    {
        await using var scene = await SignInFixture.StartAsync();
        using var cancellation = new CancellationTokenSource();
        scene.Person.Browse = async url =>
        {
            var redirect = HttpUtility.ParseQueryString(url.Query)["redirect_uri"];
            using var http = new HttpClient();
            (await http.GetAsync(redirect + "?code=x&state=wrong")).Dispose();
            await cancellation.CancelAsync();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            scene.Authenticator.SignIn.SignInAsync(scene.Server, new SignInOptions { CallbackPort = 0 }, cancellation.Token));
    }

    [Fact]
    public async Task Host_without_port_is_accepted_on_port_80()
    {
        using var listener = CallbackListener.TryBind(80, TimeProvider.System);
        Assert.SkipWhen(listener is null, "port 80 cannot be bound here");
        listener.Start("good", "my-api");
        Assert.Equal(404, RawHttp.Status(await RawHttp.GetAsync(80, "/", host: "127.0.0.1")));
    }

    [Rule(31)]
    [Fact]
    public async Task Wrong_state_does_not_prevent_the_right_callback()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Person.Opening = url =>
        {
            var redirect = new Uri(HttpUtility.ParseQueryString(url.Query)["redirect_uri"]!);
            RawHttp.GetAsync(redirect.Port, "/callback?code=x&state=wrong").GetAwaiter().GetResult();
        };
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
    }

    [Fact]
    public async Task Sign_in_without_callback_ends_with_a_timeout()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Person.Browse = _ => Task.CompletedTask;
        Assert.Equal(ErrorReason.AuthenticationTimeout, (await scene.FailsAsync(o => o with { Timeout = TimeSpan.FromSeconds(1) })).Reason);
    }
}
