using System.Net;
using McpSm.Core.Browsing;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Entra;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Browsing;

/// <summary>The one-time address that the browser is started with. It redirects to the authorization URL once.</summary>
public sealed class StartLinkTests : IDisposable
{
    private static readonly Uri Target = new("https://issuer.example/authorize?response_type=code&state=good");

    private readonly CallbackListener _listener = CallbackListener.TryBind(0, TimeProvider.System)!;

    public StartLinkTests() => _listener.Start("good", "my-api", Target);

    public void Dispose() => _listener.Dispose();

    private string Start => _listener.StartUri!.AbsolutePath;

    private static string? Field(string answer, string name) =>
        answer.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ": ", StringComparison.Ordinal))?[(name.Length + 2)..];

    private Task<string> AskAsync(string fields = "", string method = "GET") =>
        RawHttp.SendAsync(_listener.Port, $"{method} {Start} HTTP/1.1\r\nHost: 127.0.0.1:{_listener.Port}\r\n{fields}\r\n");

    [Rule(31)]
    [Fact]
    public async Task First_browser_is_redirected_and_recognised_by_its_cookie()
    {
        var first = await AskAsync();
        Assert.Equal(302, RawHttp.Status(first));
        Assert.Equal(Target.AbsoluteUri, Field(first, "Location"));
        Assert.Equal("no-store", Field(first, "Cache-Control"));
        Assert.Equal("no-referrer", Field(first, "Referrer-Policy"));
        var cookie = Field(first, "Set-Cookie")!;
        Assert.Contains("; HttpOnly", cookie);
        Assert.Contains("; SameSite=Lax", cookie);
        Assert.True(_listener.Started.IsCompleted);
        var again = await AskAsync($"Cookie: other=1; {cookie.Split(';')[0]}\r\n");
        Assert.Equal(Target.AbsoluteUri, Field(again, "Location"));
        Assert.False(_listener.Contested.IsCompleted);
    }

    [Rule(31)]
    [Theory]
    [InlineData("")]
    [InlineData("Cookie: mcpsm-start=\r\n")]
    [InlineData("Cookie: mcpsm-start=x; other=1\r\n")]
    public async Task Second_browser_is_refused_and_callbacks_are_rejected(string fields)
    {
        await AskAsync();
        var second = await AskAsync(fields);
        Assert.Equal(403, RawHttp.Status(second));
        Assert.Null(Field(second, "Location"));
        Assert.True(_listener.Contested.IsCompleted);
        Assert.Equal(400, RawHttp.Status(await RawHttp.GetAsync(_listener.Port, "/callback?code=x&state=good")));
    }

    [Rule(31)]
    [Theory]
    [InlineData("HEAD", "", 200)]
    [InlineData("GET", "Sec-Purpose: prefetch\r\n", 503)]
    [InlineData("GET", "Sec-Purpose: prefetch;prerender\r\n", 503)]
    [InlineData("GET", "Purpose: prefetch\r\n", 503)]
    [InlineData("GET", "X-Moz: prefetch\r\n", 503)]
    [InlineData("GET", "X-Purpose: preview\r\n", 503)]
    [InlineData("POST", "", 405)]
    public async Task Prefetch_of_the_start_link_learns_nothing_and_does_not_count(string method, string fields, int status)
    {
        for (var i = 0; i < 2; i++)
        {
            var answer = await AskAsync(fields, method);
            Assert.Equal(status, RawHttp.Status(answer));
            Assert.Null(Field(answer, "Location"));
            Assert.Null(Field(answer, "Set-Cookie"));
        }
        Assert.False(_listener.Started.IsCompleted);
        Assert.Equal(302, RawHttp.Status(await AskAsync()));
    }

    [Rule(31)]
    [Theory]
    [InlineData("/start/")]
    [InlineData("/start")]
    [InlineData("/start/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Start_link_with_wrong_path_or_host_is_not_found(string path)
    {
        Assert.Equal(404, RawHttp.Status(await RawHttp.GetAsync(_listener.Port, path)));
        Assert.Equal(404, RawHttp.Status(await RawHttp.GetAsync(_listener.Port, Start + "/")));
        Assert.Equal(404, RawHttp.Status(await RawHttp.GetAsync(_listener.Port, Start[..^1])));
        Assert.Equal(400, RawHttp.Status(await RawHttp.GetAsync(_listener.Port, Start, host: "evil.example")));
        Assert.False(_listener.Started.IsCompleted);
        Assert.Equal(43, Start["/start/".Length..].Length);
    }

    [Rule(31)]
    [Fact]
    public async Task Start_link_after_the_callback_is_refused()
    {
        var cookie = Field(await AskAsync(), "Set-Cookie")!.Split(';')[0];
        var page = RawHttp.GetAsync(_listener.Port, "/callback?code=x&state=good");
        var answer = await _listener.WaitAsync(Cancellation);
        Assert.Equal(400, RawHttp.Status(await AskAsync($"Cookie: {cookie}\r\n")));
        await answer.FinishAsync(true);
        Assert.Equal(200, RawHttp.Status(await page));
    }

    [Fact]
    public async Task International_host_of_the_target_is_sent_in_ASCII()
    {
        using var listener = CallbackListener.TryBind(0, TimeProvider.System)!;
        listener.Start("good", "my-api", new Uri("https://bücher.example/ä?state=good"));
        var answer = await RawHttp.GetAsync(listener.Port, listener.StartUri!.AbsolutePath);
        Assert.Equal("https://xn--bcher-kva.example/%C3%A4?state=good", Field(answer, "Location"));
    }

    [Rule(29)]
    [Fact]
    public async Task Browser_gets_the_start_link_and_the_user_sees_the_target()
    {
        await using var scene = await SignInFixture.StartAsync();
        await scene.LoginAsync();
        var start = Assert.Single(scene.Person.Starts);
        Assert.Equal("http", start.Scheme);
        Assert.Equal("127.0.0.1", start.Host);
        Assert.Equal("", start.Query);
        Assert.Equal(scene.Person.Shown, Assert.Single(scene.Person.Visited));
        Assert.StartsWith(scene.Issuer.Issuer + "/authorize?", scene.Person.Shown!.AbsoluteUri);
        var redirect = System.Web.HttpUtility.ParseQueryString(scene.Person.Shown.Query)["redirect_uri"];
        Assert.Equal(start.Port, new Uri(redirect!).Port);
    }

    [Rule(31)]
    [Fact]
    public async Task Sign_in_without_browser_has_no_start_link()
    {
        using var listener = CallbackListener.TryBind(0, TimeProvider.System)!;
        listener.Start("good", "my-api");
        Assert.Null(listener.StartUri);
        Assert.Equal(404, RawHttp.Status(await RawHttp.GetAsync(listener.Port, Start)));
        await using var scene = await SignInFixture.StartAsync();
        var login = scene.LoginAsync(o => o with { NoBrowser = true });
        while (scene.Person.Shown is null)
        {
            await Task.Delay(10, Cancellation);
        }
        (await StandInBrowser.ClickThroughAsync(scene.Person.Shown, cancellationToken: Cancellation)).Dispose();
        await login;
        Assert.Empty(scene.Person.Starts);
    }

    /// <summary>Opens the start link as another user of the machine who has read the browser's arguments.</summary>
    private static async Task<HttpStatusCode> OpenElsewhereAsync(Uri start)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var answer = await http.GetAsync(start);
        return answer.StatusCode;
    }

    [Rule(31)]
    [Fact]
    public async Task Second_browser_ends_the_sign_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        var second = HttpStatusCode.OK;
        scene.Person.Browse = async _ => second = await OpenElsewhereAsync(scene.Person.Starts[0]);
        var failure = await scene.FailsAsync();
        Assert.Equal(ErrorReason.StateMismatch, failure.Reason);
        Assert.Contains("Two browsers", failure.Message);
        Assert.Equal("mcpsm auth login my-api --no-browser", failure.Remedy.InShell());
        await scene.Person.PageAsync();
        Assert.Equal(HttpStatusCode.Forbidden, second);
        Assert.Empty(scene.Issuer.Traffic.To("/token"));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Rule(31)]
    [Fact]
    public async Task Second_browser_during_the_exchange_revokes_the_tokens()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Before("/token", _ => OpenElsewhereAsync(scene.Person.Starts[0]), times: 1);
        Assert.Equal(ErrorReason.StateMismatch, (await scene.FailsAsync()).Reason);
        Assert.Equal(2, scene.Issuer.Traffic.Count("/revoke"));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        Assert.Contains("Not signed in", await scene.Person.PageAsync());
    }

    [Rule(31)]
    [Fact]
    public async Task Second_browser_ends_an_Entra_sign_in()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Work.Person.Browse = _ => OpenElsewhereAsync(scene.Work.Person.Starts[0]);
        Assert.Equal(ErrorReason.StateMismatch, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Entra.Traffic.OfGrant("authorization_code"));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }
}
