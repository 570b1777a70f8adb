using System.Collections.Concurrent;

namespace McpSm.Samples;

/// <summary>
/// ID-JAGs at the issuer of a server: the JWT bearer grant for users of a trusted identity provider
/// (draft-ietf-oauth-identity-assertion-authz-grant section 4.4).
/// </summary>
internal sealed class IdentityAssertions(AuthorizationServerOptions options, Func<string> issuer, WorkloadAssertions keys)
{
    private readonly ConcurrentDictionary<(string Issuer, string Id), bool> _seen = new();

    /// <summary>Returns whether an assertion has the type of an ID-JAG.</summary>
    public static bool IsIdJag(string assertion)
    {
        try
        {
            return SignedJwt.OptionalText(SignedJwt.Read(assertion).Header, "typ") == IdentityTokens.IdJagHeaderType;
        }
        catch (JwtException)
        {
            return false;
        }
    }

    /// <summary>Checks an ID-JAG and returns the grant for the client.</summary>
    /// <exception cref="OAuthException"><c>invalid_grant</c>.</exception>
    public async Task<Grant> RedeemAsync(RegisteredClient client, Parameters form, CancellationToken cancellationToken)
    {
        try
        {
            var jwt = SignedJwt.Read(form.Required("assertion"));
            var from = SignedJwt.Text(jwt.Claims, "iss");
            if (!options.TrustedIdentityProviders.Contains(from))
            {
                throw new JwtException("its issuer is not trusted");
            }

            if (!await keys.IsSignedAsync(jwt, from, cancellationToken))
            {
                throw new JwtException("its signature is not valid");
            }

            return Check(jwt, from, client, form);
        }
        catch (JwtException e)
        {
            throw new OAuthException("invalid_grant", $"the ID-JAG was refused: {e.Message}");
        }
    }

    private Grant Check(SignedJwt jwt, string from, RegisteredClient client, Parameters form)
    {
        if (SignedJwt.Text(jwt.Claims, "aud") != issuer())
        {
            throw new JwtException("its audience is not this issuer");
        }

        if (SignedJwt.Text(jwt.Claims, "client_id") != client.ClientId)
        {
            throw new JwtException("it is for another client");
        }

        if (jwt.Time("exp") <= options.TimeProvider.GetUtcNow())
        {
            throw new JwtException("it has expired");
        }

        if (!_seen.TryAdd((from, SignedJwt.Text(jwt.Claims, "jti")), true))
        {
            throw new JwtException("it was used before");
        }

        var resource = SignedJwt.Text(jwt.Claims, "resource");
        var vouched = SignedJwt.OptionalText(jwt.Claims, "scope")?.Split(' ') ?? [];
        return new Grant(client.ClientId, [.. form.Scopes(options.ScopesSupported).Intersect(vouched)], TokenStore.Narrow([resource], form.Resources));
    }
}
