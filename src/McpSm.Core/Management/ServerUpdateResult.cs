using McpSm.Core.Servers;

namespace McpSm.Core.Management;

/// <summary>A server that was added or changed.</summary>
/// <param name="Moved">It is on another origin now, where its old credential is not used.</param>
/// <param name="RevocationFailure">Why a sign-in that a bearer token replaced was not confirmed as revoked; null where it was.</param>
public sealed record ServerUpdateResult(McpServer Server, bool Moved = false, string? RevocationFailure = null);
