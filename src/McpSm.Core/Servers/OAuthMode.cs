namespace McpSm.Core.Servers;

/// <summary>Whether signing in is wanted. Unset until a sign-in finds that the server challenges.</summary>
public enum OAuthMode
{
    Unset,
    On,
    Off,
}
