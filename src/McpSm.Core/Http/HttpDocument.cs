namespace McpSm.Core.Http;

/// <summary>The response to a GET request.</summary>
internal sealed record HttpDocument(int Status, string? MediaType, byte[] Body);
