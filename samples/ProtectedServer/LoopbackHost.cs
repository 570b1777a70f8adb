using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace McpSm.Samples;

/// <summary>Kestrel on 127.0.0.1 and nowhere else; it reads no configuration, so nothing can move it.</summary>
public sealed class LoopbackHost : IAsyncDisposable
{
    // Requests in flight are cut when the end begins; what is left to wait for is Kestrel's own bookkeeping.
    private static readonly TimeSpan StopLimit = TimeSpan.FromMilliseconds(300);

    private readonly WebApplication _app;
    private int _disposed;

    private LoopbackHost(WebApplication app) => _app = app;

    /// <summary>Scheme, 127.0.0.1 and the port that was bound.</summary>
    public Uri BaseAddress => new(_app.Urls.Single());

    /// <summary>BaseAddress without a slash at its end, to put paths behind.</summary>
    public string Origin => BaseAddress.GetLeftPart(UriPartial.Authority);

    /// <param name="port">0 for any free port.</param>
    /// <param name="certificate">Given: https, else plain http.</param>
    /// <param name="pipeline">Adds middleware and endpoints.</param>
    /// <param name="services">Adds what the pipeline needs.</param>
    public static async Task<LoopbackHost> StartAsync(
        int port,
        X509Certificate2? certificate,
        Action<WebApplication> pipeline,
        Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                // Over HTTP/2 "the connection was lost" would mean a stream reset: another failure.
                listen.Protocols = HttpProtocols.Http1;
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            });
        });
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddConsole();
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = StopLimit);
        builder.Services.AddRoutingCore();
        services?.Invoke(builder.Services);

        var app = builder.Build();
        try
        {
            app.Use(next => context => EndWithHostAsync(next, context, app.Lifetime.ApplicationStopping));
            pipeline(app);
            await app.StartAsync();
            return new LoopbackHost(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends within a second; requests still running are cut.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _app.StopAsync(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            // The limit did what it is for: Kestrel has closed what was still open.
        }

        await _app.DisposeAsync();
    }

    // A handler that never returns would hold Kestrel's stop: leave it behind and cut its connection.
    private static async Task EndWithHostAsync(RequestDelegate next, HttpContext context, CancellationToken stopping)
    {
        try
        {
            await next(context).WaitAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: there is nobody left to answer.
        }
    }
}
