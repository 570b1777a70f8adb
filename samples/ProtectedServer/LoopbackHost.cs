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

/// <summary>Kestrel on 127.0.0.1 only. It reads no configuration, which could change the address.</summary>
public sealed class LoopbackHost : IAsyncDisposable
{
    // Running requests are aborted when the stop begins, so this only waits for Kestrel itself.
    private static readonly TimeSpan StopLimit = TimeSpan.FromMilliseconds(300);

    private readonly WebApplication _app;
    private int _disposed;

    private LoopbackHost(WebApplication app) => _app = app;

    /// <summary>The scheme, 127.0.0.1 and the bound port.</summary>
    public Uri BaseAddress => new(_app.Urls.Single());

    /// <summary>The base address without the trailing slash.</summary>
    public string Origin => BaseAddress.GetLeftPart(UriPartial.Authority);

    /// <param name="port">The port; 0 for any free port.</param>
    /// <param name="certificate">The certificate for https; null for plain http.</param>
    /// <param name="pipeline">Adds middleware and endpoints.</param>
    /// <param name="services">Adds the services of the pipeline.</param>
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
                // HTTP/1.1 only: with HTTP/2 a lost connection would be a stream reset, which is a different failure.
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

    /// <summary>Stops within a second and aborts running requests.</summary>
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
            // The time limit was reached, and Kestrel has closed the open connections.
        }

        await _app.DisposeAsync();
    }

    // A handler that never returns would block the stop of Kestrel: abandon it and close its connection.
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
            // The client closed the connection, so there is no response to send.
        }
    }
}
