namespace McpSm.Core.Grants;

/// <summary>What a person types where (RFC 8628 section 3.2).</summary>
/// <param name="VerificationUri">Checked: http(s), safe to open.</param>
/// <param name="CompleteUri">The same with the code in it; null where the issuer gives none.</param>
public sealed record DeviceCode(string UserCode, Uri VerificationUri, Uri? CompleteUri, TimeSpan Lifetime)
{
    /// <summary>The issuer at which the person signs in; empty if it is not known.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>The name of the server that the sign-in is for; null if it is for the issuer alone, as at an identity provider.</summary>
    public string? Server { get; init; }

    /// <summary>The host of the page, if that is on another site than the issuer: the person should know before entering the code there.</summary>
    public string? OtherSite { get; init; }
}
