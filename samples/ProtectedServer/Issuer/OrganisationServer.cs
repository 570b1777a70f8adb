namespace McpSm.Samples;

/// <summary>A server that people may use.</summary>
/// <param name="Issuer">Its issuer.</param>
/// <param name="Resource">Its resource identifier.</param>
/// <param name="ClientId">The client, as the server's issuer knows it.</param>
/// <param name="Scopes">The scopes that people may have there.</param>
public sealed record OrganisationServer(string Issuer, string Resource, string ClientId, IReadOnlyList<string> Scopes);
