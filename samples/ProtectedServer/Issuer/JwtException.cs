namespace McpSm.Samples;

/// <summary>What is wrong with a JWT, to be told to whoever sent it.</summary>
internal sealed class JwtException(string why) : Exception(why);
