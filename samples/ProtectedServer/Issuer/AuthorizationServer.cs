using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>
/// An OAuth 2.1 issuer in memory, on loopback, for trying a sign-in. Only the users are missing: anyone who sees the
/// consent page can approve.
/// </summary>
public sealed class AuthorizationServer : IAsyncDisposable
{
    private readonly AuthorizationServerOptions _options;
    private readonly ClientRegistry _clients;
    private readonly TokenStore _tokens;
    private readonly DeviceCodes _devices;
    private readonly WorkloadAssertions _workloads;
    private readonly DPoPProofs? _proofs;
    private readonly IdentityTokens _identities;
    private LoopbackHost? _host;

    private AuthorizationServer(AuthorizationServerOptions options)
    {
        _options = options;
        _clients = new ClientRegistry(options);
        _tokens = new TokenStore(options);
        _devices = new DeviceCodes(options);
        _workloads = new WorkloadAssertions(options, () => Issuer);
        _proofs = options.SupportsDPoP || options.RequireDPoP ? new DPoPProofs(options.TimeProvider, options.RequireDPoPNonce) : null;
        _identities = new IdentityTokens(options, () => Issuer);
    }

    /// <summary>The issuer identifier, exactly as in the metadata.</summary>
    public string Issuer => (_options.Origin ?? Host.Origin) + _options.IssuerPath;

    public Uri BaseAddress => Host.BaseAddress;

    public Uri AuthorizationEndpoint => At(IssuerEndpoints.Authorize);

    public Uri TokenEndpoint => At(IssuerEndpoints.Token);

    public Uri RegistrationEndpoint => At(IssuerEndpoints.Register);

    public Uri RevocationEndpoint => At(IssuerEndpoints.Revoke);

    public Uri DeviceAuthorizationEndpoint => At(IssuerEndpoints.DeviceAuthorization);

    /// <summary>The checks of proofs in token requests; null if the issuer does not support DPoP.</summary>
    public DPoPProofs? DPoP => _proofs;

    /// <summary>The current clients.</summary>
    public IReadOnlyCollection<RegisteredClient> Clients => _clients.All;

    /// <summary>Every issued token with its current state, oldest first.</summary>
    public IReadOnlyList<IssuedToken> IssuedTokens => _tokens.Issued;

    private LoopbackHost Host => _host ?? throw new InvalidOperationException("The issuer has not started.");

    /// <param name="options">The options of the issuer; null for the defaults.</param>
    /// <param name="inFront">Adds middleware before all endpoints.</param>
    public static async Task<AuthorizationServer> StartAsync(
        AuthorizationServerOptions? options = null,
        Action<IApplicationBuilder>? inFront = null)
    {
        options ??= new AuthorizationServerOptions();
        if (options.IssuerPath is { Length: > 0 } path && (path[0] != '/' || path[^1] == '/'))
        {
            throw new ArgumentException("IssuerPath must start with a slash and must not end with one.", nameof(options));
        }

        var server = new AuthorizationServer(options);
        server._host = await LoopbackHost.StartAsync(options.Port, options.Certificate, app =>
        {
            inFront?.Invoke(app);
            app.UseRouting();
            server.Map(app);
        });
        return server;
    }

    /// <summary>Returns the data of an access token for a resource server; null if the issuer never issued it.</summary>
    public AccessTokenInfo? Introspect(string token) => _tokens.Introspect(token);

    /// <summary>Expires an access or refresh token. Returns false if the issuer never issued it.</summary>
    public bool Expire(string token) => _tokens.Expire(token);

    public void RevokeAllTokens() => _tokens.RevokeAll();

    /// <summary>Deletes the dynamically registered clients. Their tokens stay, but cannot be renewed.</summary>
    public void ForgetClients() => _clients.ForgetRegistered();

    /// <summary>Decides a device code like a user on the device page. Returns false if the code is not pending.</summary>
    public bool DecideDevice(string userCode, bool approve) => _devices.Decide(userCode, approve);

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _workloads.Dispose();
        _identities.Dispose();
    }

    private Uri At(string endpoint) => new(Issuer + endpoint);

    private void Map(WebApplication app)
    {
        var codes = new AuthorizationCodes(_options, _tokens);
        var authentication = new ClientAuthentication(_clients, new ClientAssertions(_options, () => Issuer));
        var path = _options.IssuerPath;

        new MetadataEndpoints(_options, _identities, () => Issuer).Map(app);

        var authorization = new AuthorizationEndpoint(_options, _clients, codes, () => Issuer);
        app.MapGet(path + IssuerEndpoints.Authorize, authorization.AskAsync);
        app.MapPost(path + IssuerEndpoints.Authorize, authorization.DecideAsync);

        var token = new TokenEndpoint(_options, authentication, _workloads, new IdentityAssertions(_options, () => Issuer, _workloads), _identities,
            codes, _devices, _tokens, _proofs);
        app.MapPost(path + IssuerEndpoints.Token, Answering(token.IssueAsync));

        if (_options.SupportsRegistration)
        {
            var registration = new RegistrationEndpoint(_options, _clients);
            app.MapPost(path + IssuerEndpoints.Register, Answering(registration.RegisterAsync));
        }

        if (_options.SupportsRevocation)
        {
            var revocation = new RevocationEndpoint(authentication, _tokens);
            app.MapPost(path + IssuerEndpoints.Revoke, Answering(revocation.RevokeAsync));
        }

        if (_options.SupportsDeviceCode)
        {
            var device = new DeviceEndpoints(_options, authentication, _devices, () => Issuer);
            app.MapPost(path + IssuerEndpoints.DeviceAuthorization, Answering(device.AuthorizeAsync));
            app.MapGet(path + IssuerEndpoints.Device, device.AskAsync);
            app.MapPost(path + IssuerEndpoints.Device, device.DecideAsync);
        }
    }

    // Endpoints for programs return errors as JSON (RFC 6749 section 5.2).
    private static RequestDelegate Answering(RequestDelegate endpoint) => async context =>
    {
        try
        {
            await endpoint(context);
        }
        catch (OAuthException error)
        {
            if (error.Status == StatusCodes.Status401Unauthorized)
            {
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"clients\"";
            }

            await context.Response.WriteJsonAsync(error.Status, error.ToJson());
        }
    };
}
