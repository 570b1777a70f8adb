using System.Security.Cryptography.X509Certificates;

namespace McpSm.TestServers.Entra;

/// <summary>An app as registered with the stand-in: public where it has neither secret nor certificate.</summary>
public sealed record EntraApp(string ClientId, string? Secret = null, X509Certificate2? Certificate = null);
