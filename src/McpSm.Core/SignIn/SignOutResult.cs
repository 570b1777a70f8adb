namespace McpSm.Core.SignIn;

/// <summary>The result of a sign-out.</summary>
/// <param name="HadOAuth">Whether there was an OAuth credential.</param>
/// <param name="HasBearer">Whether a bearer token is set.</param>
/// <param name="RevocationFailure">Why the issuer did not confirm the revocation; null if it did or was not asked.</param>
public sealed record SignOutResult(bool HadOAuth, bool HasBearer, string? RevocationFailure);
