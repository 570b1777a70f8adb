using McpSm.Core.Servers;

namespace McpSm.Core.Management;

/// <summary>A server that was added or changed.</summary>
/// <param name="Server">The server as the catalog has it now.</param>
/// <param name="Moved">Whether the server has another origin now, so that its old credential is not used.</param>
/// <param name="RevocationFailure">Why the issuer did not confirm the revocation of a sign-in that a bearer token replaced; null if it did.</param>
public sealed record ServerUpdateResult(McpServer Server, bool Moved = false, string? RevocationFailure = null);
