using System.Collections.Concurrent;
using System.Text;
using CsCheck;
using McpSm.Core.Discovery;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Registration;
using McpSm.Core.Tests.Discovery;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>Random responses of endpoints. They travel over real HTTP, so there are fewer cases than in <see cref="PropertyTests"/>.</summary>
public sealed class AnswerPropertyTests : IAsyncLifetime
{
    /// <summary>A response in which most members are valid.</summary>
    private static readonly Gen<byte[]> DeviceAnswer = Gen.Select(Member("device_code", "\"d\""), Member("user_code", "\"AB-12\""),
        Member("verification_uri", "\"https://a.example/x\""), Member("verification_uri_complete", "\"https://a.example/x?c=1\""),
        Member("expires_in", "600"), Member("interval", "5")).Select((a, b, c, d, e, f) => Encoding.UTF8.GetBytes($"{{{a},{b},{c},{d},{e},{f}}}"));

    private static readonly Gen<int> Status = Gen.OneOf(200, 200, 200, 200, 201, 302, 400, 500);

    private readonly ConcurrentDictionary<string, (byte[] Body, int Status)> _answers = [];
    private readonly TestEnvironment _work = new();
    private TestMcpServer? _server;
    private RestrictedHttpClient? _http;

    private TestMcpServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestMcpServer.StartAsync();
        _http = new RestrictedHttpClient(new UrlPolicy(_server.McpUrl));
        _server.Faults.Intercept("/answer", async context =>
        {
            _answers.TryRemove(context.Request.Path.Value!, out var answer);
            context.Response.StatusCode = answer.Status;
            await context.Response.Body.WriteAsync(answer.Body);
        });
    }

    public async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        await Server.DisposeAsync();
        _work.Dispose();
    }

    [Rule(37)]
    [Fact]
    public async Task Device_response_is_a_code_to_show_or_refused()
    {
        var seen = 0;
        await Gen.Select(Gen.Frequency((1, PropertyTests.Body("device_code", "user_code", "error")), (4, DeviceAnswer)), Status)
            .SampleAsync(async (body, status) =>
            {
                var grant = new DeviceCodeGrant(_http!, new UrlPolicy(Server.McpUrl), Issuer(Answer(body, status)), Client, "https://server.example/mcp", [],
                    SenderConstraint.None, TimeProvider.System);
                if (await PropertyTests.DoneAsync(async () =>
                {
                    var code = await grant.StartAsync(default);
                    Assert.DoesNotContain(code.UserCode, char.IsControl);
                    Assert.NotEmpty(code.UserCode);
                    Assert.Contains(code.VerificationUri.Scheme, new[] { "https", "http" });
                    Assert.InRange(code.Lifetime, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
                }))
                {
                    Interlocked.Increment(ref seen);
                }
            }, iter: Cases);
        Assert.True(seen > 0, "no answer was good enough to try the reading");
    }

    [Rule(14)]
    [Fact]
    public async Task Registration_response_is_stored_as_it_is_or_refused()
    {
        var seen = 0;
        var environment = _work.Home;
        var store = _work.Store;
        var registry = new ClientRegistrar(environment, store);
        var server = await _work.AddAsync(Server.McpUrl);
        await Gen.Select(PropertyTests.Body("client_id", "client_id", "client_secret", "client_secret_expires_at", "token_endpoint_auth_method", "error"),
            Status)
            .SampleAsync(async (body, status) =>
            {
                var issuer = Issuer(Answer(body, status));
                if (await PropertyTests.DoneAsync(async () =>
                {
                    var registered = await new DynamicRegistration(_http!, issuer, server, [], _ => new ListServersStep())
                        .RunAsync(new RegisteredRedirectUri("http://127.0.0.1:1/callback", null), null, default);
                    await registry.StoreAsync(server, registered, null, default);
                    var client = registered.Client;
                    Assert.NotEmpty(client.Id);
                    Assert.NotEqual("", client.Secret);
                    Assert.Equal(client, (await store.Registrations.ReadAsync(server, issuer.Issuer, null, default))!.Client);
                }))
                {
                    Interlocked.Increment(ref seen);
                }
            }, iter: Math.Min(Cases, 2000), threads: 1);
        Assert.True(seen > 0, "no answer was good enough to try the reading");
    }

    private static Gen<string> Member(string name, string right) =>
        Gen.Frequency((9, Gen.Const(right)), (1, PropertyTests.Value(2))).Select(value => $"\"{name}\":{value}");

    private static long Cases => PropertyTests.Cases / 5;

    private static ClientIdentity Client { get; } = new(ClientKind.Dynamic, "client", null, ClientIdentity.None);

    /// <summary>Registers a response and returns its URL.</summary>
    private string Answer(byte[] body, int status)
    {
        var path = "/answer/" + Guid.NewGuid();
        _answers[path] = (body, status);
        return new Uri(Server.McpUrl, path).AbsoluteUri;
    }

    private static AuthorizationServerMetadata Issuer(string endpoint) => new()
    {
        Issuer = "https://issuer.example",
        TokenEndpoint = endpoint,
        RegistrationEndpoint = endpoint,
        DeviceAuthorizationEndpoint = endpoint,
    };
}
