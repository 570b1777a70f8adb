using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Authenticates the client at the token, revocation and device endpoints (RFC 6749 section 2.3).</summary>
internal sealed class ClientAuthentication(ClientRegistry clients, ClientAssertions assertions)
{
    /// <summary>Returns whether a request names a client.</summary>
    public static bool IsOfClient(HttpRequest request, Parameters form) =>
        request.Headers.Authorization.Count > 0 || form["client_id"] is not null || form["client_assertion"] is not null;

    /// <summary>Returns the client, authenticated with its registered method.</summary>
    /// <exception cref="OAuthException"><c>invalid_client</c>, status 401.</exception>
    public RegisteredClient Authenticate(HttpRequest request, Parameters form)
    {
        var (clientId, secret, method) = Presented(request, form);
        var client = clients.Find(clientId) ?? throw Refused("the client is not known");
        if (client.TokenEndpointAuthMethod != method)
        {
            throw Refused($"the client is registered to authenticate by {client.TokenEndpointAuthMethod}");
        }

        if (method == ClientAssertions.Method)
        {
            assertions.Verify(secret!, client);
            return client;
        }

        return client.ClientSecret is null || Secrets.Same(client.ClientSecret, secret ?? "")
            ? client
            : throw Refused("the client secret is wrong");
    }

    private static (string ClientId, string? Secret, string Method) Presented(HttpRequest request, Parameters form)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.Length > 0)
        {
            var (id, secret) = FromBasic(header);
            if (form["client_secret"] is not null || (form["client_id"] is { } inBody && inBody != id))
            {
                throw new OAuthException("invalid_request", "the client authenticated in two ways");
            }

            return (id, secret, "client_secret_basic");
        }

        if (form["client_assertion"] is { } assertion)
        {
            var subject = ClientAssertions.SubjectOf(assertion);
            if (form["client_assertion_type"] != ClientAssertions.Type || form["client_secret"] is not null
                || (form["client_id"] is { } named && named != subject))
            {
                throw new OAuthException("invalid_request", "the client assertion contradicts other parameters");
            }

            return (subject, assertion, ClientAssertions.Method);
        }

        var clientId = form["client_id"] ?? throw Refused("client_id is missing");
        return form["client_secret"] is { } posted
            ? (clientId, posted, "client_secret_post")
            : (clientId, null, "none");
    }

    private static (string Id, string Secret) FromBasic(string header)
    {
        if (!AuthenticationHeaderValue.TryParse(header, out var value)
            || !value.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
        {
            throw Refused("only Basic is understood in the Authorization header");
        }

        var bytes = new byte[value.Parameter?.Length ?? 0];
        if (!Convert.TryFromBase64String(value.Parameter ?? "", bytes, out var written)
            || Encoding.UTF8.GetString(bytes, 0, written).Split(':', 2) is not [var id, var secret])
        {
            throw Refused("the Basic credentials cannot be read");
        }

        // RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
        return (WebUtility.UrlDecode(id), WebUtility.UrlDecode(secret));
    }

    private static OAuthException Refused(string description) =>
        new("invalid_client", description, StatusCodes.Status401Unauthorized);
}
