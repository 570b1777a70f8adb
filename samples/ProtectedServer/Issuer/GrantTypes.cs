namespace McpSm.Samples;

internal static class GrantTypes
{
    public const string AuthorizationCode = "authorization_code";
    public const string RefreshToken = "refresh_token";
    public const string ClientCredentials = "client_credentials";
    public const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    public const string TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    public const string DeviceCode = "urn:ietf:params:oauth:grant-type:device_code";

    /// <summary>Returns the grant types of an issuer with these options.</summary>
    public static IReadOnlyList<string> Supported(AuthorizationServerOptions options)
    {
        List<string> types = [AuthorizationCode];
        if (options.IssueRefreshTokens)
        {
            types.Add(RefreshToken);
        }

        if (options.TokenEndpointAuthMethods.Any(m => m != "none"))
        {
            types.Add(ClientCredentials);
        }

        if (options.Organisation is not null)
        {
            types.Add(TokenExchange);
        }

        if (options.TrustedPlatforms.Count > 0 || options.TrustedIdentityProviders.Count > 0)
        {
            types.Add(JwtBearer);
        }

        if (options.SupportsDeviceCode)
        {
            types.Add(DeviceCode);
        }

        return types;
    }
}
