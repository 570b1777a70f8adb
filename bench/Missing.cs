namespace McpSm.Bench;

internal sealed record Missing(string Work, string Why);
