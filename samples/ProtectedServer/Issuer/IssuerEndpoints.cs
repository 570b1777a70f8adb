namespace McpSm.Samples;

/// <summary>The paths of the endpoints below the issuer identifier.</summary>
internal static class IssuerEndpoints
{
    public const string Authorize = "/authorize";
    public const string Token = "/token";
    public const string Register = "/register";
    public const string Revoke = "/revoke";
    public const string DeviceAuthorization = "/device_authorization";
    public const string Device = "/device";
    public const string JsonWebKeys = "/jwks";
}
