namespace McpSm.Core.Management;

/// <summary>What came of dropping the registration with a server's issuer.</summary>
/// <param name="Issuer">The issuer's identifier; null if the server has none.</param>
/// <param name="WasRegistered">Whether there was a registration.</param>
internal sealed record RemovedRegistration(string? Issuer, bool WasRegistered);
