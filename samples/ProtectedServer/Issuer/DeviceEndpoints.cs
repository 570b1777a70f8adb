using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Device authorization (RFC 8628): the endpoint for the device and the page for the user.</summary>
internal sealed class DeviceEndpoints(
    AuthorizationServerOptions options,
    ClientAuthentication authentication,
    DeviceCodes devices,
    Func<string> issuer)
{
    private const string UserCode = "user_code";

    /// <summary>Device authorization request (RFC 8628 section 3.1).</summary>
    public async Task AuthorizeAsync(HttpContext context)
    {
        var form = await Parameters.ReadFormAsync(context.Request);
        var client = authentication.Authenticate(context.Request, form);
        if (!client.MayUse(GrantTypes.DeviceCode))
        {
            throw new OAuthException("unauthorized_client", "the client did not register for device codes");
        }

        var grant = new Grant(client.ClientId, form.Scopes(options.ScopesSupported), form.Resources);
        var (deviceCode, userCode) = devices.Issue(grant);
        var page = issuer() + IssuerEndpoints.Device;
        await context.Response.WriteJsonAsync(StatusCodes.Status200OK, new JsonObject
        {
            ["device_code"] = deviceCode,
            [UserCode] = userCode,
            ["verification_uri"] = page,
            ["verification_uri_complete"] = $"{page}?{UserCode}={userCode}",
            ["expires_in"] = (long)options.DeviceCodeLifetime.TotalSeconds,
            ["interval"] = (long)options.DevicePollingInterval.TotalSeconds,
        });
    }

    /// <summary>GET of the page: asks for the code, or to confirm the code in the link (RFC 8628 section 3.3.1).</summary>
    public Task AskAsync(HttpContext context)
    {
        var code = HtmlPage.Encode(context.Request.Query[UserCode].ToString());
        return HtmlPage.WriteAsync(context, 200, "Approve a device?", $"""
            <p>Approve only if this is the code that your own device shows.</p>
            <form method="post">
            <label>Code <input name="{UserCode}" value="{code}" autocomplete="off" required></label>
            {ConsentPage.Buttons}
            </form>
            """);
    }

    /// <summary>POST of the page: the decision of the user.</summary>
    public async Task DecideAsync(HttpContext context)
    {
        string? code;
        bool approve;
        try
        {
            var form = await Parameters.ReadFormAsync(context.Request);
            (code, approve) = (form[UserCode], form[ConsentPage.Decision] == ConsentPage.ApproveValue);
        }
        catch (OAuthException error)
        {
            await HtmlPage.MessageAsync(context, 400, "The request failed", error.Description);
            return;
        }

        if (code is null || !devices.Decide(code, approve))
        {
            await HtmlPage.MessageAsync(context, 400, "This code is not valid", "It is mistyped, used or expired.");
            return;
        }

        var title = approve ? "The device is signed in" : "The device was denied";
        await HtmlPage.MessageAsync(context, 200, title, "You can close this page.");
    }
}
