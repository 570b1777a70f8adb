using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace McpSm.Samples;

/// <summary>The authorization endpoint: checks the request, asks the user, and redirects the browser.</summary>
internal sealed class AuthorizationEndpoint(
    AuthorizationServerOptions options,
    ClientRegistry clients,
    AuthorizationCodes codes,
    Func<string> issuer)
{
    /// <summary>GET: the authorization request (OAuth 2.1 section 4.1.1).</summary>
    public async Task AskAsync(HttpContext context)
    {
        var query = new Parameters(context.Request.Query);
        RegisteredClient client;
        string redirectUri;
        try
        {
            (client, redirectUri) = Recipient(query);
        }
        catch (OAuthException error)
        {
            // Without a valid redirect URI the error is shown to the user (OAuth 2.1 section 4.1.2.1).
            await HtmlPage.MessageAsync(context, 400, "This sign-in cannot continue", error.Description);
            return;
        }

        AuthorizationRequest request;
        try
        {
            request = Check(query, client, redirectUri);
        }
        catch (OAuthException error)
        {
            Redirect(context, 302, redirectUri, StateOf(query), error);
            return;
        }

        if (options.AutoApprove)
        {
            Approve(context, 302, request);
            return;
        }

        await ConsentPage.WriteAsync(context, request, codes.Hold(request), issuer());
    }

    /// <summary>POST: the decision of the user.</summary>
    public async Task DecideAsync(HttpContext context)
    {
        string? handle;
        string? decision;
        try
        {
            var form = await Parameters.ReadFormAsync(context.Request);
            (handle, decision) = (form[ConsentPage.Handle], form[ConsentPage.Decision]);
        }
        catch (OAuthException error)
        {
            await HtmlPage.MessageAsync(context, 400, "This sign-in cannot continue", error.Description);
            return;
        }

        if (handle is null || codes.Take(handle) is not { } request)
        {
            await HtmlPage.MessageAsync(
                context, 400, "This page is out of date", "Start the sign-in again in the program that opened this page.");
            return;
        }

        // 303, so that the browser follows with GET and without the form (OAuth 2.1 section 7.5.2).
        if (decision == ConsentPage.ApproveValue)
        {
            Approve(context, 303, request);
        }
        else
        {
            var denied = new OAuthException("access_denied", "The request was denied on the consent page");
            Redirect(context, 303, request.RedirectUri, request.State, denied);
        }
    }

    private (RegisteredClient Client, string RedirectUri) Recipient(Parameters query)
    {
        var client = clients.Find(query.Required("client_id"))
            ?? throw new OAuthException("invalid_request", "The client is not known here.");
        var redirectUri = query.Required("redirect_uri");
        var registered = client.AnyRedirectUri
            ? ClientRegistry.IsAcceptableRedirectUri(redirectUri)
            : client.RedirectUris.Contains(redirectUri);
        return registered
            ? (client, redirectUri)
            : throw new OAuthException("invalid_request", "The redirect_uri is not registered for this client.");
    }

    private AuthorizationRequest Check(Parameters query, RegisteredClient client, string redirectUri)
    {
        if (query.Required("response_type") != "code")
        {
            throw new OAuthException("unsupported_response_type", "response_type must be code");
        }

        if (!client.MayUse(GrantTypes.AuthorizationCode))
        {
            throw new OAuthException("unauthorized_client", "the client did not register for authorization_code");
        }

        var challenge = query.Required("code_challenge");
        if (query["code_challenge_method"] != "S256")
        {
            // A missing method means "plain" (RFC 7636 section 4.3).
            throw new OAuthException("invalid_request", "code_challenge_method must be S256");
        }

        var resources = query.Resources;
        if (resources.Count == 0 && options.Organisation is null)
        {
            throw new OAuthException("invalid_target", "resource is missing");
        }

        var scopes = query.Scopes(options.ScopesSupported);
        return new AuthorizationRequest(client, redirectUri, query["state"], challenge, scopes, resources,
            options.SupportsDPoP || options.RequireDPoP ? query["dpop_jkt"] : null, query["nonce"]);
    }

    private void Approve(HttpContext context, int status, AuthorizationRequest request) =>
        Redirect(context, status, request.RedirectUri, request.State, new Dictionary<string, string?>
        {
            ["code"] = codes.Issue(request),
        });

    private void Redirect(HttpContext context, int status, string redirectUri, string? state, OAuthException error) =>
        Redirect(context, status, redirectUri, state, new Dictionary<string, string?>
        {
            ["error"] = error.Error,
            ["error_description"] = error.Description,
        });

    private void Redirect(
        HttpContext context,
        int status,
        string redirectUri,
        string? state,
        Dictionary<string, string?> answer)
    {
        answer["state"] = state;
        answer["iss"] = options.AdvertiseIss ? issuer() : null;
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Location = QueryHelpers.AddQueryString(redirectUri, answer);
    }

    private static string? StateOf(Parameters query)
    {
        try
        {
            return query["state"];
        }
        catch (OAuthException)
        {
            // A repeated state is the error that is being reported, so there is no single state to return.
            return null;
        }
    }
}
