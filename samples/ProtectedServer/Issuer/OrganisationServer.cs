namespace McpSm.Samples;

/// <summary>A server that users of the organisation can use.</summary>
/// <param name="Issuer">The issuer of the server.</param>
/// <param name="Resource">The resource identifier of the server.</param>
/// <param name="ClientId">The client id at the issuer of the server.</param>
/// <param name="Scopes">The scopes that users can have.</param>
public sealed record OrganisationServer(string Issuer, string Resource, string ClientId, IReadOnlyList<string> Scopes);
