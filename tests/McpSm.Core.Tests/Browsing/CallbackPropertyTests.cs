using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using CsCheck;
using McpSm.Core.Browsing;
using McpSm.Core.Tests.Discovery;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Browsing;

/// <summary>Requests that web pages and local programs can send to the redirect port during a sign-in.</summary>
public sealed class CallbackPropertyTests
{
    private const string State = "good-5f0c";

    private static readonly Gen<string> Query = Gen.OneOf(
        "?", "&", "=", "code=x", "error=access_denied", "iss=https%3A%2F%2Fevil.example", "%", "%zz", "%00", "+",
        "state=", $"state={State[..^1]}", $"state={State}x", $"state={State.ToUpperInvariant()}", $"state={State}%00", $"state={State}+", $"STATE={State}",
        $"&state={State}&state={State}", "planted", "#").Array[0, 6].Select(string.Concat);

    private static Gen<string> Head(int port) => Gen.Select(
        Gen.OneOf("GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "get", "", "G\0T", "CONNECT"),
        Gen.OneOf("/callback", "/callback", "/callback", "/", "/callback/", "/Callback", "/%63allback", "//callback", "/x/../callback", "*", "",
            $"http://127.0.0.1:{port}/callback", "/planted"),
        Query,
        Gen.OneOf(" HTTP/1.1", " HTTP/1.1", " HTTP/1.0", " HTTP/9", "", " HTTP/1.1 x"),
        Gen.OneOf($"Host: 127.0.0.1:{port}", $"Host: 127.0.0.1:{port}", $"Host: localhost:{port}", "Host: evil.example", "host:", "planted",
            "Content-Length: 99999999999", "Transfer-Encoding: chunked", "X: " + new string('x', 17_000)).Array[0, 4],
        Gen.OneOf("\r\n\r\n", "\r\n\r\n", "\r\n\r\n", "\n\n", "\r\n", "")).Select(all =>
            string.Join("\r\n", [$"{all.Item1} {all.Item2}{all.Item3}{all.Item4}", .. all.Item5]) + all.Item6);

    private static Gen<byte[]> Request(int port)
    {
        var head = Head(port).Select(Encoding.Latin1.GetBytes);
        return Gen.Frequency(
            (6, head),
            (1, Gen.Select(head, Gen.Double[0, 1]).Select((b, part) => b[..(int)(b.Length * part)])),
            (1, Gen.Select(head, head).Select((a, b) => a.Concat(b).ToArray())),
            (1, Gen.Byte.Array[0, 200]));
    }

    [Rule(31)]
    [Fact]
    public async Task Request_without_the_state_is_refused_and_not_echoed()
    {
        using var listener = CallbackListener.TryBind(0, TimeProvider.System)!;
        listener.Start(State, "my-api");
        var answer = listener.WaitAsync(Cancellation);
        var slowest = TimeSpan.Zero;
        var answered = 0;
        await Request(listener.Port).SampleAsync(async bytes =>
        {
            var started = Stopwatch.GetTimestamp();
            var page = await SendAsync(listener.Port, bytes);
            var took = Stopwatch.GetElapsedTime(started);
            slowest = took > slowest ? took : slowest;
            Assert.Contains(RawHttp.Status(page), new[] { 0, 400, 404, 405 });
            Assert.DoesNotContain("planted", page);
            if (page.Length > 0)
            {
                Interlocked.Increment(ref answered);
                Assert.Contains("\r\nContent-Security-Policy: default-src 'none'; ", page);
                Assert.EndsWith("</html>", page.TrimEnd());
            }
            Assert.False(answer.IsCompleted);
        }, iter: PropertyTests.Cases);
        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.True(answered > PropertyTests.Cases / 10, $"only {answered} were answered");

        var right = RawHttp.GetAsync(listener.Port, $"/callback?code=c&state={State}");
        await (await answer.WaitAsync(TimeSpan.FromSeconds(5), Cancellation)).FinishAsync(true);
        Assert.Equal(200, RawHttp.Status(await right));
    }

    private static async Task<string> SendAsync(int port, byte[] bytes)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var client = await RawHttp.ConnectAsync(port);
        try
        {
            var stream = client.GetStream();
            await stream.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), limit.Token);
            await stream.WriteAsync(bytes.AsMemory(bytes.Length / 2), limit.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return await reader.ReadToEndAsync(limit.Token);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The listener closed the connection before it read the whole request.
            return "";
        }
    }
}
