using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Token revocation, RFC 7009.</summary>
internal sealed class RevocationEndpoint(ClientAuthentication authentication, TokenStore tokens)
{
    public async Task RevokeAsync(HttpContext context)
    {
        var form = await Parameters.ReadFormAsync(context.Request);
        // The token of a workload belongs to no client, so its holder can revoke it.
        var client = ClientAuthentication.IsOfClient(context.Request, form) ? authentication.Authenticate(context.Request, form) : RegisteredClient.Anonymous;

        // token_type_hint only speeds a search up; one lookup finds both types here.
        tokens.Revoke(form.Required("token"), client.ClientId);
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = 0;
    }
}
