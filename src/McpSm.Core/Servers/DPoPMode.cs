namespace McpSm.Core.Servers;

/// <summary>Whether tokens must be bound to a key of Mcpsm (RFC 9449).</summary>
public enum DPoPMode
{
    /// <summary>Bind tokens if the server or the issuer requires it.</summary>
    Auto,
    /// <summary>Always bind tokens; reject a token that is not bound.</summary>
    Always,
    /// <summary>Never bind tokens, even if the server or the issuer requires it.</summary>
    Never,
}
