using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpSm.Samples;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace McpSm.TestServers;

/// <summary>
/// A platform that signs assertions for its workloads and publishes its keys with OpenID Connect discovery. Its token service works
/// like GitHub Actions: the bearer token of the job returns an assertion for any audience.
/// </summary>
public sealed class WorkloadPlatform : IAsyncDisposable
{
    public const string Subject = "repo:octo/app:ref:refs/heads/main";

    /// <summary>The ACTIONS_ID_TOKEN_REQUEST_TOKEN of the job.</summary>
    public const string RequestToken = "PLANTED-request-token";

    private readonly string _algorithm;
    private readonly TimeProvider _time;
    private readonly AsymmetricAlgorithm _key;
    private LoopbackHost? _host;

    private WorkloadPlatform(string algorithm, TimeProvider time)
    {
        (_algorithm, _time) = (algorithm, time);
        _key = algorithm == "RS256" ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
    }

    /// <summary>The <c>iss</c> claim of the assertions.</summary>
    public string Issuer => _host!.Origin;

    /// <summary>The ACTIONS_ID_TOKEN_REQUEST_URL of the job, which already has a query.</summary>
    public string RequestUrl => Issuer + "/token?api-version=2.0";

    /// <summary>The workload of this platform, for the options of an issuer.</summary>
    public TrustedPlatform Trusted => new(Issuer, [Subject]);

    /// <param name="algorithm">RS256 or ES256.</param>
    /// <param name="time">The clock; the system clock if null.</param>
    public static async Task<WorkloadPlatform> StartAsync(string algorithm = "RS256", TimeProvider? time = null)
    {
        var platform = new WorkloadPlatform(algorithm, time ?? TimeProvider.System);
        platform._host = await LoopbackHost.StartAsync(0, null, app =>
        {
            app.UseRouting();
            app.MapGet("/.well-known/openid-configuration", c => AnswerAsync(c, new JsonObject
            {
                ["issuer"] = platform.Issuer,
                ["jwks_uri"] = platform.Issuer + "/jwks",
            }));
            app.MapGet("/jwks", c => AnswerAsync(c, new JsonObject { ["keys"] = new JsonArray(platform.PublicKey()) }));
            app.MapGet("/token", platform.GiveAsync);
        });
        return platform;
    }

    /// <summary>Returns a new assertion of the workload, with a unique <c>jti</c>.</summary>
    /// <param name="change">Changes the claims before they are signed.</param>
    public string Sign(string audience, Action<JsonObject>? change = null)
    {
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["sub"] = Subject,
            ["aud"] = audience,
            ["jti"] = Guid.NewGuid().ToString(),
            ["iat"] = now,
            ["nbf"] = now,
            ["exp"] = now + 300,
        };
        change?.Invoke(claims);
        var text = Encode(new JsonObject { ["alg"] = _algorithm, ["typ"] = "JWT", ["kid"] = "the one" }) + "." + Encode(claims);
        var bytes = Encoding.ASCII.GetBytes(text);
        return text + "." + Base64Url.EncodeToString(_key is RSA rsa ? rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : ((ECDsa)_key).SignData(bytes, HashAlgorithmName.SHA256));
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.DisposeAsync();
        _key.Dispose();
    }

    private Task GiveAsync(HttpContext context)
    {
        if (!context.Request.Headers.Authorization.ToString().Equals("bearer " + RequestToken, StringComparison.OrdinalIgnoreCase))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }
        return AnswerAsync(context, new JsonObject { ["count"] = 1, ["value"] = Sign(context.Request.Query["audience"].ToString()) });
    }

    private JsonObject PublicKey()
    {
        var key = new JsonObject { ["kid"] = "the one", ["use"] = "sig", ["alg"] = _algorithm };
        if (_key is RSA rsa)
        {
            var numbers = rsa.ExportParameters(includePrivateParameters: false);
            (key["kty"], key["n"], key["e"]) = ("RSA", Base64Url.EncodeToString(numbers.Modulus), Base64Url.EncodeToString(numbers.Exponent));
        }
        else
        {
            var point = ((ECDsa)_key).ExportParameters(includePrivateParameters: false).Q;
            (key["kty"], key["crv"], key["x"], key["y"]) = ("EC", "P-256", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        }
        return key;
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes<JsonNode>(json));

    private static Task AnswerAsync(HttpContext context, JsonObject json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json.ToJsonString());
    }
}
