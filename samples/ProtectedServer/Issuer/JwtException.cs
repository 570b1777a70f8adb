namespace McpSm.Samples;

/// <summary>The error for an invalid JWT. The client receives its message.</summary>
internal sealed class JwtException(string why) : Exception(why);
