using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Dynamic client registration, RFC 7591.</summary>
internal sealed class RegistrationEndpoint(AuthorizationServerOptions options, ClientRegistry clients)
{
    public async Task RegisterAsync(HttpContext context)
    {
        var request = await ReadAsync(context);
        var method = AuthMethod(request);
        var grantTypes = UsableGrantTypes(request);
        var client = new RegisteredClient(
            Secrets.New("client_"),
            method == "none" ? null : Secrets.New("secret_"),
            RedirectUris(request, grantTypes),
            method)
        {
            GrantTypes = grantTypes,
            ClientName = Text(request, "client_name"),
            RegistrationRequest = request,
        };
        clients.Add(client);
        await context.Response.WriteJsonAsync(StatusCodes.Status201Created, Answer(client, request));
    }

    // RFC 7591 section 3.2.1: the response has all registered metadata, including changes of the issuer.
    private JsonObject Answer(RegisteredClient client, JsonObject request)
    {
        var answer = (JsonObject)request.DeepClone();
        answer["client_id"] = client.ClientId;
        answer["client_id_issued_at"] = options.TimeProvider.GetUtcNow().ToUnixTimeSeconds();
        answer["redirect_uris"] = client.RedirectUris.ToJsonArray();
        answer["token_endpoint_auth_method"] = client.TokenEndpointAuthMethod;
        answer["grant_types"] = client.GrantTypes!.ToJsonArray();
        answer["response_types"] ??= new JsonArray("code");
        if (client.ClientSecret is not null)
        {
            answer["client_secret"] = client.ClientSecret;
            answer["client_secret_expires_at"] = 0;
        }

        return answer;
    }

    private string AuthMethod(JsonObject request)
    {
        // RFC 7591 section 2: client_secret_basic is the default.
        var asked = Text(request, "token_endpoint_auth_method") ?? "client_secret_basic";
        // Dynamic registration with a key is not supported.
        return options.TokenEndpointAuthMethods.Contains(asked) && asked != ClientAssertions.Method
            ? asked
            : throw Refused("this token_endpoint_auth_method is not supported");
    }

    // An issuer can replace unsupported grant types (RFC 7591 section 2). The default is authorization_code.
    private List<string> UsableGrantTypes(JsonObject request)
    {
        var asked = Texts(request, "grant_types") ?? [GrantTypes.AuthorizationCode];
        var usable = asked.Intersect(GrantTypes.Supported(options)).ToList();
        return usable.Count > 0 ? usable : throw Refused("none of these grant_types is supported");
    }

    private static List<string> RedirectUris(JsonObject request, List<string> grantTypes)
    {
        var uris = Texts(request, "redirect_uris") ?? [];
        if (uris.Count == 0 && grantTypes.Contains(GrantTypes.AuthorizationCode))
        {
            throw new OAuthException("invalid_redirect_uri", "redirect_uris is missing");
        }

        return uris.TrueForAll(ClientRegistry.IsAcceptableRedirectUri)
            ? uris
            : throw new OAuthException("invalid_redirect_uri", "redirect_uris must be https, or http on loopback");
    }

    private static async Task<JsonObject> ReadAsync(HttpContext context)
    {
        try
        {
            return await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted) as JsonObject
                ?? throw Refused("the body must be a JSON object");
        }
        catch (JsonException)
        {
            throw Refused("the body is not JSON");
        }
    }

    private static string? Text(JsonObject request, string name) => request[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => throw Refused($"{name} must be a string"),
    };

    private static List<string>? Texts(JsonObject request, string name) => request[name] switch
    {
        null => null,
        JsonArray array when array.All(i => i?.GetValueKind() == JsonValueKind.String) =>
            [.. array.Select(i => i!.GetValue<string>())],
        _ => throw Refused($"{name} must be an array of strings"),
    };

    private static OAuthException Refused(string description) => new("invalid_client_metadata", description);
}
