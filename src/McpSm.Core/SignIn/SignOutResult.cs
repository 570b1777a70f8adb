namespace McpSm.Core.SignIn;

/// <summary>How a sign-out ended.</summary>
/// <param name="HadOAuth">Whether there was an OAuth credential.</param>
/// <param name="HasBearer">Whether a bearer token is set.</param>
/// <param name="RevocationFailure">Why the issuer did not confirm the revocation; null where it did or was not asked.</param>
public sealed record SignOutResult(bool HadOAuth, bool HasBearer, string? RevocationFailure);
