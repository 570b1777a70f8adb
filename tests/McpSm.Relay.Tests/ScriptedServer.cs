using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpSm.Relay.Tests;

/// <summary>A server on loopback that answers as a test says, and records what it gets.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ScriptedServer(WebApplication app) => _app = app;

    public Uri Url => new(_app.Urls.First() + "/mcp");

    public ConcurrentQueue<Exchange> Exchanges { get; } = new();

    /// <param name="port">0 for a free one.</param>
    public static async Task<ScriptedServer> StartAsync(Func<HttpContext, string, Task> answer, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var server = new ScriptedServer(app);
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var text = Encoding.UTF8.GetString(body.ToArray());
            server.Exchanges.Enqueue(new Exchange(context.Request.Method, text, body.ToArray(),
                context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            await answer(context, text);
        });
        await app.StartAsync();
        return server;
    }

    /// <summary>Ends the server at once, with its connections.</summary>
    public async Task StopAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    internal sealed record Exchange(string Method, string Body, byte[] Bytes, IReadOnlyDictionary<string, string> Headers);
}
