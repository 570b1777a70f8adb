namespace McpSm.Core.Servers;

/// <summary>Whether Mcpsm signs in to a server. Unset until a sign-in finds that the server sends a challenge.</summary>
public enum OAuthMode
{
    Unset,
    On,
    Off,
}
