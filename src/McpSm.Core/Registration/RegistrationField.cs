namespace McpSm.Core.Registration;

/// <summary>A field of a registration request that an issuer may refuse (RFC 7591 section 2).</summary>
internal enum RegistrationField
{
    Scope,
    GrantTypes,
    RedirectUris,
    AuthMethod,
    ApplicationType,
}
