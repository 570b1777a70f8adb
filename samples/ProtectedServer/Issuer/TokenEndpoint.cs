using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.Samples;

/// <summary>The token endpoint (RFC 6749 section 3.2) with the grants of this issuer.</summary>
internal sealed class TokenEndpoint(
    AuthorizationServerOptions options,
    ClientAuthentication authentication,
    WorkloadAssertions workloads,
    IdentityAssertions assertions,
    IdentityTokens identities,
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

        // RFC 7523 section 3.1: client authentication is optional for this grant.
        var client = grantType == GrantTypes.JwtBearer && !ClientAuthentication.IsOfClient(context.Request, form)
            ? RegisteredClient.Anonymous : authentication.Authenticate(context.Request, form);
        if (!client.MayUse(grantType))
        {
            throw new OAuthException("unauthorized_client", $"the client did not register for {grantType}");
        }

        // Checked before the code or token is used, because the client can repeat the request with the required nonce.
        var key = KeyOf(context);
        if (grantType == GrantTypes.TokenExchange)
        {
            await context.Response.WriteJsonAsync(StatusCodes.Status200OK, identities.Exchange(client, form));
            return;
        }

        string? nonce = null;
        TokenResponse answer;
        if (grantType == GrantTypes.RefreshToken)
        {
            answer = tokens.Refresh(form.Required("refresh_token"), client.ClientId, form, key);
        }
        else
        {
            var family = grantType == GrantTypes.JwtBearer ? await OfAssertionAsync(client, form, context.RequestAborted)
                : FamilyOf(grantType, client, form, key);
            nonce = family.Grant.Nonce;
            answer = tokens.Issue(family, client, grantType, key);
        }

        var json = Write(answer, key);
        if (options.Organisation is not null && answer.Scopes.Contains(IdentityTokens.OpenId))
        {
            json["id_token"] = identities.SignIdToken(client.ClientId, nonce);
        }

        await context.Response.WriteJsonAsync(StatusCodes.Status200OK, json);
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

    private async Task<TokenFamily> OfAssertionAsync(RegisteredClient client, Parameters form, CancellationToken cancellationToken)
    {
        if (IdentityAssertions.IsIdJag(form.Required("assertion")))
        {
            return new TokenFamily(await assertions.RedeemAsync(client, form, cancellationToken));
        }

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

    private JsonObject Write(TokenResponse answer, string? key)
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
