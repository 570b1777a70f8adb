namespace McpSm.Core.Servers;

/// <summary>Whether tokens are bound to a key of ours (RFC 9449).</summary>
public enum DPoPMode
{
    /// <summary>Where the server or the issuer asks for it.</summary>
    Auto,
    /// <summary>A token that is not bound is refused.</summary>
    Always,
    /// <summary>Whatever they ask for.</summary>
    Never,
}
