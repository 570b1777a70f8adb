using System.Security.Cryptography.X509Certificates;

namespace McpSm.TestServers.Entra;

/// <summary>A registered app. Without a secret and a certificate it is a public client.</summary>
public sealed record EntraApp(string ClientId, string? Secret = null, X509Certificate2? Certificate = null);
