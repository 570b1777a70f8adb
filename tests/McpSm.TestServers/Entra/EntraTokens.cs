using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using McpSm.Samples;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace McpSm.TestServers.Entra;

/// <summary>The codes and tokens of a <see cref="FakeEntra"/>, and the rules for issuing them.</summary>
public sealed class EntraTokens(FakeEntra standIn)
{
    private readonly ConcurrentDictionary<string, Code> _codes = new();
    private readonly ConcurrentDictionary<string, (string Client, string Scope)> _refresh = new();
    private readonly ConcurrentDictionary<string, string> _access = new();

    // A different user for each fake: MSAL throttles a user in the whole process after a failure.
    private readonly string _person = Guid.NewGuid().ToString();

    /// <summary>The lifetime of access tokens in seconds.</summary>
    public int Lifetime { get; set; } = 3600;

    /// <summary>Whether refresh tokens are issued.</summary>
    public bool GivesRefresh { get; set; } = true;

    /// <summary>The decision of the user in the browser and on the device page: null approves, anything else is the error.</summary>
    public string? Denies { get; set; }

    /// <summary>The number of polls that a device code stays pending.</summary>
    public int Pending { get; set; }

    /// <summary>Every issued access and refresh token.</summary>
    public IReadOnlyCollection<string> All => [.. _access.Keys, .. _refresh.Keys];

    /// <summary>Revokes every refresh token, like a password change.</summary>
    public void RevokeAll() => _refresh.Clear();

    /// <summary>Returns what a server can learn of a token for its resource.</summary>
    public AccessTokenInfo? Introspect(string token, string resource) => _access.TryGetValue(token, out var scope)
        ? new AccessTokenInfo(true, "", scope.Split(' '), [resource], DateTimeOffset.UtcNow.AddSeconds(Lifetime)) : null;

    internal Task AuthorizeAsync(HttpContext context, string tenant)
    {
        var query = context.Request.Query;
        var redirect = new Uri(query["redirect_uri"].ToString());
        if (!standIn.Apps.ContainsKey(query["client_id"].ToString()))
        {
            throw new EntraException("unauthorized_client", "AADSTS700016: no such application");
        }
        if (redirect is not { Scheme: "http", Host: "localhost", AbsolutePath: "/" })
        {
            throw new EntraException("invalid_request", "AADSTS50011: the redirect URI is not registered");
        }
        var answer = new Dictionary<string, string?> { ["state"] = query["state"], ["session_state"] = Guid.NewGuid().ToString() };
        if (Denies is not null)
        {
            answer["error"] = Denies;
            answer["error_description"] = "AADSTS65004: the user declined";
        }
        else if (query.ContainsKey("resource"))
        {
            answer["error"] = "invalid_target";
            answer["error_description"] = "AADSTS9010010: the resource parameter does not match the scopes";
        }
        else if (query["response_type"] != "code" || query["code_challenge_method"] != "S256" || query["code_challenge"].ToString().Length != 43)
        {
            answer["error"] = "invalid_request";
            answer["error_description"] = "AADSTS9002325: PKCE is required";
        }
        else
        {
            var code = Random("code-");
            _codes[code] = new Code(query["client_id"].ToString(), tenant, Scopes(query["scope"].ToString()))
            {
                Redirect = redirect.OriginalString,
                Challenge = query["code_challenge"],
            };
            answer["code"] = code;
        }
        context.Response.Redirect(QueryHelpers.AddQueryString(redirect.OriginalString, answer));
        return Task.CompletedTask;
    }

    internal async Task StartDeviceAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        Refuse(form);
        var code = Random("device-");
        _codes[code] = new Code(form["client_id"].ToString(), "", Scopes(form["scope"].ToString())) { Pending = Pending };
        await context.Response.WriteAsJsonAsync(new
        {
            user_code = "ENTRACODE",
            device_code = code,
            verification_uri = "https://microsoft.com/devicelogin",
            expires_in = 900,
            interval = 1,
            message = "Say the words.",
        });
    }

    internal async Task ExchangeAsync(HttpContext context, string tenant)
    {
        var form = await context.Request.ReadFormAsync();
        Refuse(form);
        var client = form["client_id"].ToString();
        if (!standIn.Apps.TryGetValue(client, out var app))
        {
            throw new EntraException("unauthorized_client", "AADSTS700016: no such application");
        }
        var isPublic = app is { Secret: null, Certificate: null };
        if (isPublic && (form.ContainsKey("client_secret") || form.ContainsKey("client_assertion")))
        {
            throw new EntraException("invalid_request", "AADSTS700025: the client is public, so it must not send a secret", 401);
        }
        switch (form["grant_type"].ToString())
        {
            case "authorization_code":
                await WriteAsync(context, client, TakeCode(form, client, tenant));
                break;
            case "urn:ietf:params:oauth:grant-type:device_code" or "device_code":
                await WriteAsync(context, client, TakeDeviceCode(form, client));
                break;
            case "refresh_token":
                var held = _refresh.GetValueOrDefault(form["refresh_token"].ToString());
                await WriteAsync(context, client, held.Client == client ? Scopes(form["scope"].ToString())
                    : throw new EntraException("invalid_grant", "AADSTS50173: the grant was revoked", suberror: "bad_token"));
                break;
            case "client_credentials":
                EntraClientProof.Verify(form, app, context.Request.Host.Value!, tenant);
                var scope = form["scope"].ToString();
                await WriteAsync(context, client, scope.EndsWith("/.default", StringComparison.Ordinal) && !scope.Contains(' ') ? scope
                    : throw new EntraException("invalid_scope", "AADSTS1002012: the scope must end in /.default"), person: false);
                break;
            default:
                throw new EntraException("unsupported_grant_type", "AADSTS70003");
        }
    }

    /// <summary>Issues a token of a managed identity if the request has the header that only the machine itself can send.</summary>
    internal Task ForMachineAsync(HttpContext context, string header, string value, string version)
    {
        var query = context.Request.Query;
        if (context.Request.Headers[header] != value || query["api-version"] != version || query["resource"].ToString().Contains("/.default"))
        {
            throw new EntraException("invalid_request", "the request is not valid");
        }
        if (query.TryGetValue("client_id", out var id) && !standIn.Apps.ContainsKey(id.ToString()))
        {
            throw new EntraException("invalid_request", "Identity not found");
        }
        var token = Random("eyJ-machine-");
        _access[token] = query["resource"] + "/.default";
        return context.Response.WriteAsJsonAsync(new Dictionary<string, string>
        {
            ["access_token"] = token,
            ["expires_on"] = DateTimeOffset.UtcNow.AddSeconds(Lifetime).ToUnixTimeSeconds().ToString(),
            ["resource"] = query["resource"].ToString(),
            ["token_type"] = "Bearer",
        });
    }

    private string TakeCode(IFormCollection form, string client, string tenant) =>
        _codes.TryRemove(form["code"].ToString(), out var code) && code.Client == client && code.Tenant == tenant
            && code.Redirect == form["redirect_uri"]
            && code.Challenge == Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())))
            ? code.Scope : throw new EntraException("invalid_grant", "AADSTS501481: the code verifier does not match");

    private string TakeDeviceCode(IFormCollection form, string client)
    {
        var code = _codes.GetValueOrDefault(form["device_code"].ToString());
        return code?.Client != client ? throw new EntraException("bad_verification_code", "AADSTS70018")
            : code.Pending-- > 0 ? throw new EntraException("authorization_pending", "AADSTS70016")
            : Denies is not null ? throw new EntraException(Denies, "AADSTS65004: the user declined") : code.Scope;
    }

    private async Task WriteAsync(HttpContext context, string client, string scope, bool person = true)
    {
        var token = Random("eyJ-access-");
        _access[token] = scope;
        var answer = new JsonObject
        {
            ["token_type"] = "Bearer",
            ["expires_in"] = Lifetime,
            ["ext_expires_in"] = Lifetime,
            ["access_token"] = token,
        };
        if (person)
        {
            answer["scope"] = scope;
            answer["client_info"] = Encode($$"""{"uid":"{{_person}}","utid":"{{FakeEntra.Tenant}}"}""");
            answer["id_token"] = $"{Encode("""{"alg":"none","typ":"JWT"}""")}.{Encode($$"""
                {"iss":"https://login.microsoftonline.com/{{FakeEntra.Tenant}}/v2.0","aud":"{{client}}","sub":"s","oid":"{{_person}}",
                "tid":"{{FakeEntra.Tenant}}","preferred_username":"bob@example.com","name":"Bob","ver":"2.0"}
                """)}.x";
            if (GivesRefresh)
            {
                var refresh = Random("1.AX-refresh-");
                _refresh[refresh] = (client, scope);
                answer["refresh_token"] = refresh;
            }
        }
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer.ToJsonString());
    }

    /// <summary>Refuses the parameters that the MCP specification requires and Entra ID refuses.</summary>
    private static void Refuse(IFormCollection form)
    {
        if (form.ContainsKey("resource"))
        {
            throw new EntraException("invalid_target", "AADSTS9010010: the resource parameter does not match the scopes");
        }
    }

    /// <summary>Returns the requested scopes of one API, without the OpenID Connect scopes, which must be requested too.</summary>
    private static string Scopes(string asked)
    {
        var scopes = asked.Split(' ').Except(["openid", "profile", "offline_access"]).ToList();
        return scopes.Count == 0 || !asked.Contains("openid") || scopes.Any(s => !s.Contains('/'))
            ? throw new EntraException("invalid_scope", "AADSTS70011: the scopes are not valid") : string.Join(' ', scopes);
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static string Random(string prefix) => prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private sealed record Code(string Client, string Tenant, string Scope)
    {
        public string? Redirect { get; init; }
        public string? Challenge { get; init; }
        public int Pending { get; set; }
    }
}
