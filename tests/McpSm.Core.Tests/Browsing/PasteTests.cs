using System.Threading.Channels;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Browsing;

/// <summary>The browser runs on another machine, and the user pastes the URL that it could not open.</summary>
public sealed class PasteTests
{
    /// <summary>Returns the URL that the issuer redirects the browser to, without opening it.</summary>
    private static async Task<string> RedirectedAsync(SignInFixture scene)
    {
        for (var i = 0; scene.Person.Shown is null; i++)
        {
            Assert.True(i < 500, "no URL was shown");
            await Task.Delay(10);
        }
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var answer = await http.GetAsync(scene.Person.Shown);
        return answer.Headers.Location!.AbsoluteUri;
    }

    private static ChannelWriter<string?> Pasting(SignInFixture scene)
    {
        var lines = Channel.CreateUnbounded<string?>();
        scene.Person.ReadRedirect = async ct => await lines.Reader.ReadAsync(ct);
        return lines.Writer;
    }

    [Fact]
    public async Task Pasted_redirect_signs_the_user_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        var lines = Pasting(scene);
        var login = scene.LoginAsync(o => o with { NoBrowser = true });
        lines.TryWrite("  " + await RedirectedAsync(scene) + "\r");
        Assert.Equal(AuthState.Authenticated, (await login).Status.State);
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(16)]
    [Theory]
    [InlineData("hello")]
    [InlineData("https://evil.example/callback?code=x&state=y")]
    [InlineData("http://127.0.0.1:1/callback?code=x&state=y")]
    [InlineData("http://127.0.0.1:1/other")]
    [InlineData("//\u202e")]
    public async Task Wrong_paste_gets_a_notice_and_the_wait_goes_on(string wrong)
    {
        await using var scene = await SignInFixture.StartAsync();
        var lines = Pasting(scene);
        var login = scene.LoginAsync(o => o with { NoBrowser = true });
        var right = await RedirectedAsync(scene);
        lines.TryWrite(wrong);
        lines.TryWrite("");
        lines.TryWrite(right);
        Assert.Equal(AuthState.Authenticated, (await login).Status.State);
        var notice = Assert.Single(scene.Person.Notices, n => n.Contains("not the address that this sign-in ends on"));
        Assert.DoesNotContain("code=", notice);
    }

    [Fact]
    public async Task Callback_is_accepted_if_nothing_can_be_pasted()
    {
        await using var scene = await SignInFixture.StartAsync();
        var login = scene.LoginAsync(o => o with { NoBrowser = true });
        using var http = new HttpClient();
        using var page = await http.GetAsync(await RedirectedAsync(scene), Cancellation);
        Assert.Equal(AuthState.Authenticated, (await login).Status.State);
    }
}
