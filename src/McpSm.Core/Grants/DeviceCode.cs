namespace McpSm.Core.Grants;

/// <summary>A code that a person enters on a page of the issuer (RFC 8628 section 3.2).</summary>
/// <param name="UserCode">The code.</param>
/// <param name="VerificationUri">The page: http or https, and safe to open.</param>
/// <param name="CompleteUri">The page with the code in its URL; null if the issuer gives none.</param>
/// <param name="Lifetime">How long the code is valid.</param>
public sealed record DeviceCode(string UserCode, Uri VerificationUri, Uri? CompleteUri, TimeSpan Lifetime)
{
    /// <summary>The issuer that the person signs in to; empty if it is unknown.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>The name of the server that the sign-in is for; null at an identity provider.</summary>
    public string? Server { get; init; }

    /// <summary>The host of the page, if it is not on the site of the issuer. The person should know that before entering the code.</summary>
    public string? OtherSite { get; init; }
}
