namespace McpSm.Bench;

/// <summary>The peak memory of a run in bytes.</summary>
internal sealed record Peak(string Work, string Program, long Bytes, long? AtMost)
{
    public bool? Met => AtMost is { } most ? Bytes <= most : null;
}
