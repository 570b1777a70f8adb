using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Probing;

public sealed class ProbeTests
{
    [Rule(30)]
    [Fact]
    public async Task Endless_test_response_is_abandoned_after_32_MiB()
    {
        await using var endless = RawServer.Start(async (stream, cancellationToken) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[\""u8.ToArray(), cancellationToken);
            var more = new byte[64 * 1024];
            Array.Fill(more, (byte)'x');
            while (true)
            {
                await stream.WriteAsync(more, cancellationToken);
            }
        });
        using var work = new TestEnvironment();
        var server = await work.AddAsync(endless.Url);
        var result = await work.Authenticator.Tester.TestAsync(server, TimeSpan.FromSeconds(30), Cancellation);
        Assert.Equal(ErrorReason.ProtocolViolation, result.Reason);
        Assert.Contains("more than 32 MiB", result.Error);
    }
}
