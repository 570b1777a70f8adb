namespace McpSm.Core.Http;

/// <summary>What came back for a GET.</summary>
public sealed record HttpDocument(int Status, string? MediaType, byte[] Body);
