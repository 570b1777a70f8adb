using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace McpSm.Samples;

/// <summary>The metadata of the issuer: RFC 8414, and OpenID Connect discovery at both of its URLs.</summary>
internal sealed class MetadataEndpoints(AuthorizationServerOptions options, IdentityTokens identities, Func<string> issuer)
{
    public void Map(IEndpointRouteBuilder app)
    {
        var path = options.IssuerPath;
        if (options.ServeOAuthMetadata)
        {
            app.MapGet("/.well-known/oauth-authorization-server" + path, c => c.Response.WriteJsonAsync(200, OAuth()));
        }

        if (options.ServeOpenIdConfiguration)
        {
            // RFC 8414 section 5 puts the path after the well-known part, OpenID Connect before it.
            var inserted = "/.well-known/openid-configuration" + path;
            var appended = path + "/.well-known/openid-configuration";
            foreach (var place in new[] { inserted, appended }.Distinct())
            {
                app.MapGet(place, c => c.Response.WriteJsonAsync(200, OpenId()));
            }

            app.MapGet(
                path + IssuerEndpoints.JsonWebKeys,
                c => c.Response.WriteJsonAsync(200, new JsonObject { ["keys"] = options.Organisation is null ? [] : new JsonArray(identities.PublicKey()) }));
        }
    }

    private JsonObject OAuth()
    {
        var id = issuer();
        var metadata = new JsonObject
        {
            ["issuer"] = id,
            ["authorization_endpoint"] = id + IssuerEndpoints.Authorize,
            ["token_endpoint"] = id + IssuerEndpoints.Token,
            ["response_types_supported"] = new JsonArray("code"),
            ["response_modes_supported"] = new JsonArray("query"),
            ["grant_types_supported"] = GrantTypes.Supported(options).ToJsonArray(),
            ["scopes_supported"] = options.ScopesSupported.ToJsonArray(),
            ["code_challenge_methods_supported"] = new JsonArray("S256"),
            ["token_endpoint_auth_methods_supported"] = options.TokenEndpointAuthMethods.ToJsonArray(),
        };
        if (options.TokenEndpointAuthMethods.Contains(ClientAssertions.Method))
        {
            metadata["token_endpoint_auth_signing_alg_values_supported"] = SignedJwt.Algorithms.ToJsonArray();
        }

        if (options.SupportsRegistration)
        {
            metadata["registration_endpoint"] = id + IssuerEndpoints.Register;
        }

        if (options.SupportsRevocation)
        {
            metadata["revocation_endpoint"] = id + IssuerEndpoints.Revoke;
            metadata["revocation_endpoint_auth_methods_supported"] = options.TokenEndpointAuthMethods.ToJsonArray();
        }

        if (options.SupportsDeviceCode)
        {
            metadata["device_authorization_endpoint"] = id + IssuerEndpoints.DeviceAuthorization;
        }

        if (options.SupportsClientIdMetadataDocuments)
        {
            metadata["client_id_metadata_document_supported"] = true;
        }

        if (options.SupportsDPoP)
        {
            metadata["dpop_signing_alg_values_supported"] = new JsonArray(DPoPProofs.Algorithm);
        }

        if (options.AdvertiseIss)
        {
            metadata["authorization_response_iss_parameter_supported"] = true;
        }

        if (options.Organisation is not null)
        {
            metadata["identity_chaining_requested_token_types_supported"] = new JsonArray(IdentityTokens.IdJag);
        }

        if (options.TrustedIdentityProviders.Count > 0)
        {
            metadata["authorization_grant_profiles_supported"] = new JsonArray("urn:ietf:params:oauth:grant-profile:id-jag");
        }

        return metadata;
    }

    // Required by OpenID Connect. An issuer that is not an identity provider issues no ID tokens and has no keys.
    private JsonObject OpenId()
    {
        var metadata = OAuth();
        metadata["jwks_uri"] = issuer() + IssuerEndpoints.JsonWebKeys;
        metadata["subject_types_supported"] = new JsonArray("public");
        metadata["id_token_signing_alg_values_supported"] = new JsonArray(options.Organisation is null ? "RS256" : "ES256");
        return metadata;
    }
}
