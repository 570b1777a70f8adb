using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using McpSm.Samples;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace McpSm.TestServers.Entra;

/// <summary>
/// The endpoints of Microsoft Entra ID, of Azure's machine metadata (IMDS) and of App Service identities, on loopback. It
/// is as strict as the real endpoints about the mistakes of a client: no <c>resource</c>, localhost redirects without a path, PKCE.
/// </summary>
public sealed class FakeEntra : IAsyncDisposable
{
    public const string Tenant = "8e1b7a52-6c3f-4f0e-9d0a-2f6f3a1c5b77";

    /// <summary>The client id of the app for people; <c>Daemon</c> is the app with its own credentials.</summary>
    public const string Person = "11111111-aaaa-4bbb-8ccc-000000000001";
    public const string Daemon = "22222222-aaaa-4bbb-8ccc-000000000002";
    public const string Secret = "dAe~mon.Secret_0123456789";
    public const string IdentityHeader = "identity-header-0123456789";

    internal static readonly string[] Hosts = ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];

    private LoopbackHost? _host;

    private FakeEntra() => Tokens = new EntraTokens(this);

    public TrafficLog Traffic { get; } = new();

    public Faults Faults { get; } = new();

    public EntraTokens Tokens { get; }

    public ConcurrentDictionary<string, EntraApp> Apps { get; } = new(
        new[] { new EntraApp(Person), new EntraApp(Daemon, Secret) }.Select(a => KeyValuePair.Create(a.ClientId, a)));

    /// <summary>The URLs of requests that no endpoint serves.</summary>
    public ConcurrentQueue<Uri> Strays { get; } = new();

    public string Origin => (_host ?? throw new InvalidOperationException("The server has not started.")).Origin;

    /// <param name="certificate">The certificate for https; null for plain http.</param>
    public static async Task<FakeEntra> StartAsync(X509Certificate2? certificate = null)
    {
        var standIn = new FakeEntra();
        standIn._host = await LoopbackHost.StartAsync(0, certificate, app =>
            app.Use(standIn.Traffic.RecordAsync).Use(standIn.Faults.ApplyAsync).Run(standIn.AnswerAsync));
        return standIn;
    }

    /// <summary>Returns a handler that sends requests for the hosts of Entra ID and of IMDS to this server, and no others.</summary>
    public HttpMessageHandler NewTransport() => new Transport(this);

    /// <summary>Returns whether this server stands in for a host.</summary>
    public static bool IsHost(string host) => Hosts.Contains(host);

    /// <summary>Does what a user does in a browser: opens the page, approves or denies, and follows the redirect to the client.</summary>
    public async Task<HttpResponseMessage> ClickThroughAsync(Uri url, Func<Uri, Uri>? back = null)
    {
        using var client = new HttpClient(NewTransport());
        using var answer = await client.GetAsync(url);
        var location = answer.Headers.Location ?? throw new InvalidOperationException(
            $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false };
        using var browser = new HttpClient(handler);
        return await browser.GetAsync(back is null ? location : back(location));
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        try
        {
            await (path.Split('/') switch
            {
                ["", var tenant, "oauth2", "v2.0", "authorize"] => Tokens.AuthorizeAsync(context, tenant),
                ["", var tenant, "oauth2", "v2.0", "token"] => Tokens.ExchangeAsync(context, tenant),
                ["", _, "oauth2", "v2.0", "devicecode"] => Tokens.StartDeviceAsync(context),
                ["", "metadata", "identity", "oauth2", "token"] => Tokens.ForMachineAsync(context, "Metadata", "true", "2018-02-01"),
                ["", "msi", "token"] => Tokens.ForMachineAsync(context, "X-IDENTITY-HEADER", IdentityHeader, "2019-08-01"),
                _ => throw new EntraException("not_found", "no such endpoint", StatusCodes.Status404NotFound),
            });
        }
        catch (EntraException e)
        {
            context.Response.StatusCode = e.Status;
            await context.Response.WriteAsJsonAsync(e.Body);
        }
    }

    private sealed class Transport(FakeEntra standIn) : DelegatingHandler(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        SslOptions = { RemoteCertificateValidationCallback = LoopbackCertificates.Trusts },
    })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var uri = request.RequestUri!;
            if (!(uri.Scheme == "https" && IsHost(uri.Authority)) && uri.GetLeftPart(UriPartial.Authority) != "http://169.254.169.254")
            {
                standIn.Strays.Enqueue(uri);
                throw new InvalidOperationException($"The test sent a request to {uri.Authority}.");
            }
            request.Headers.Host = uri.Authority;
            request.RequestUri = new Uri(standIn.Origin + uri.PathAndQuery);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
