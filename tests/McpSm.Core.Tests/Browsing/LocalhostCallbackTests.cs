using System.Net;
using System.Net.Sockets;
using System.Text;
using McpSm.Core.Browsing;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Entra;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Browsing;

/// <summary>A redirect to <c>localhost</c>, which browsers resolve to 127.0.0.1 or to ::1.</summary>
public sealed class LocalhostCallbackTests
{
    public LocalhostCallbackTests() => Require.OrSkip(HasIPv6(), "This machine has no ::1.");

    private static bool HasIPv6()
    {
        try
        {
            using var socket = Bind(0);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static Socket Bind(int port)
    {
        var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, port));
        socket.Listen();
        return socket;
    }

    private static async Task<string> GetAsync(IPAddress address, int port, string host, string target)
    {
        using var client = new TcpClient(address.AddressFamily);
        await client.ConnectAsync(address, port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"));
        return await new StreamReader(client.GetStream()).ReadToEndAsync();
    }

    [Rule(31)]
    [Theory]
    [InlineData("", "/", "127.0.0.1", "127.0.0.1")]
    [InlineData("", "/", "127.0.0.1", "localhost")]
    [InlineData("", "/", "::1", "localhost")]
    [InlineData("", "/", "::1", "[::1]")]
    [InlineData("/callback", "/callback", "::1", "localhost")]
    public async Task Callback_to_localhost_is_served_at_both_loopback_addresses(string path, string target, string address, string host)
    {
        using var listener = CallbackListener.TryBindLocalhost(0, path, TimeProvider.System)!;
        listener.Start("good", "my-api");
        Assert.Equal($"http://localhost:{listener.Port}{path}", listener.RedirectUri);
        var page = GetAsync(IPAddress.Parse(address), listener.Port, host, $"{target}?code=x&state=good");
        var answer = await listener.WaitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(5), Cancellation);
        await answer.FinishAsync(true);
        Assert.Equal(200, RawHttp.Status(await page));
    }

    [Rule(31)]
    [Fact]
    public async Task Redirect_to_127_0_0_1_accepts_no_other_host()
    {
        using var listener = CallbackListener.TryBind(0, TimeProvider.System)!;
        listener.Start("good", "my-api");
        Assert.Equal(400, RawHttp.Status(await RawHttp.GetAsync(listener.Port, "/callback?code=x&state=good", host: $"[::1]:{listener.Port}")));
        await Assert.ThrowsAnyAsync<SocketException>(() => GetAsync(IPAddress.IPv6Loopback, listener.Port, "localhost", "/"));
    }

    [Rule(31)]
    [Fact]
    public void Port_in_use_at_either_address_counts_as_taken()
    {
        using var other = Bind(0);
        var port = ((IPEndPoint)other.LocalEndPoint!).Port;
        Assert.Null(CallbackListener.TryBindLocalhost(port, "", TimeProvider.System));
        using var free = CallbackListener.TryBind(port, TimeProvider.System);
        Assert.NotNull(free);
        using var both = CallbackListener.TryBindLocalhost(0, "", TimeProvider.System);
        Assert.NotNull(both);
        Assert.NotEqual(port, both.Port);
        Assert.Null(CallbackListener.TryBindLocalhost(both.Port, "", TimeProvider.System));
    }

    [Rule(31)]
    [Fact]
    public async Task Entra_sign_in_with_a_taken_port_picks_another_or_names_it()
    {
        await using var scene = await EntraFixture.StartAsync();
        using var listener = Bind(0);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        var failure = await scene.FailsAsync(o => o with { CallbackPort = port });
        Assert.Equal(ErrorReason.CallbackPortInUse, failure.Reason);
        Assert.Contains($"Port {port} of localhost", failure.Message);
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
    }
}
