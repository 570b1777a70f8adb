using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>Token revocation, RFC 7009.</summary>
internal sealed class RevocationEndpoint(ClientAuthentication authentication, TokenStore tokens)
{
    public async Task RevokeAsync(HttpContext context)
    {
        var form = await Parameters.ReadFormAsync(context.Request);
        // What a workload got belongs to no client: whoever holds it may end it.
        var client = ClientAuthentication.IsOfClient(context.Request, form) ? authentication.Authenticate(context.Request, form) : RegisteredClient.Nobody;

        // token_type_hint only helps a search; here one look finds either kind.
        tokens.Revoke(form.Required("token"), client.ClientId);
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = 0;
    }
}
