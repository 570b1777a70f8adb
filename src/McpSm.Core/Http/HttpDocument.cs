namespace McpSm.Core.Http;

/// <summary>The response to a GET request.</summary>
public sealed record HttpDocument(int Status, string? MediaType, byte[] Body);
