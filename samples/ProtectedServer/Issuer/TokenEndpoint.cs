using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>The token endpoint, RFC 6749 section 3.2, with the grants this issuer knows.</summary>
internal sealed class TokenEndpoint(
    AuthorizationServerOptions options,
    ClientAuthentication authentication,
    WorkloadAssertions workloads,
    AuthorizationCodes codes,
    DeviceCodes devices,
    TokenStore tokens,
    DPoPProofs? proofs)
{
    public async Task IssueAsync(HttpContext context)
    {
        var form = await Parameters.ReadFormAsync(context.Request);
        var grantType = form.Required("grant_type");
        if (!GrantTypes.Supported(options).Contains(grantType))
        {
            throw new OAuthException("unsupported_grant_type", "this grant_type is not supported");
        }

        // RFC 7523 section 3.1: with this grant a client may show itself, and need not.
        var client = grantType == GrantTypes.JwtBearer && !ClientAuthentication.IsOfClient(context.Request, form)
            ? RegisteredClient.Nobody : authentication.Authenticate(context.Request, form);
        if (!client.MayUse(grantType))
        {
            throw new OAuthException("unauthorized_client", $"the client did not register for {grantType}");
        }

        // Before anything is spent: a request may come again with the nonce that it lacked.
        var key = KeyOf(context);
        var answer = grantType == GrantTypes.RefreshToken
            ? tokens.Refresh(form.Required("refresh_token"), client.ClientId, form, key)
            : tokens.Issue(grantType == GrantTypes.JwtBearer ? await OfWorkloadAsync(client, form, context.RequestAborted)
                : FamilyOf(grantType, client, form, key), client, grantType, key);
        await context.Response.WriteJsonAsync(StatusCodes.Status200OK, Write(answer, key));
    }

    private string? KeyOf(HttpContext context)
    {
        if (proofs is null)
        {
            return null;
        }

        proofs.Offer(context.Response);
        try
        {
            return proofs.Verify(context.Request, null)
                ?? (options.RequireDPoP ? throw new OAuthException("invalid_dpop_proof", "a proof is missing") : null);
        }
        catch (DPoPException error)
        {
            throw new OAuthException(error.Error, error.Description);
        }
    }

    private TokenFamily FamilyOf(string grantType, RegisteredClient client, Parameters form, string? key) => grantType switch
    {
        GrantTypes.AuthorizationCode => codes.Redeem(form.Required("code"), client.ClientId, form, key),
        GrantTypes.DeviceCode => devices.Redeem(form.Required("device_code"), client.ClientId, form),
        _ => OfClientItself(client, form),
    };

    private TokenFamily OfClientItself(RegisteredClient client, Parameters form)
    {
        if (!client.IsConfidential)
        {
            throw new OAuthException("unauthorized_client", "client_credentials is for confidential clients");
        }

        return ForResources(client, form);
    }

    private async Task<TokenFamily> OfWorkloadAsync(RegisteredClient client, Parameters form, CancellationToken cancellationToken)
    {
        await workloads.VerifyAsync(form.Required("assertion"), cancellationToken);
        return ForResources(client, form);
    }

    private TokenFamily ForResources(RegisteredClient client, Parameters form)
    {
        var resources = form.Resources;
        return resources.Count > 0
            ? new TokenFamily(new Grant(client.ClientId, form.Scopes(options.ScopesSupported), resources))
            : throw new OAuthException("invalid_target", "resource is missing");
    }

    private JsonObject Write(TokenAnswer answer, string? key)
    {
        var json = new JsonObject { ["access_token"] = answer.AccessToken, ["token_type"] = key is null ? "Bearer" : "DPoP" };
        if (!options.OmitExpiresIn)
        {
            json["expires_in"] = (long)answer.Lifetime.TotalSeconds;
        }

        if (answer.RefreshToken is not null)
        {
            json["refresh_token"] = answer.RefreshToken;
        }

        json["scope"] = string.Join(' ', answer.Scopes);
        return json;
    }
}
