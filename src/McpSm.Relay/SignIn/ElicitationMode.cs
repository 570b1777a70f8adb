namespace McpSm.Relay.SignIn;

/// <summary>How a client can ask its user (MCP, Elicitation).</summary>
internal enum ElicitationMode
{
    /// <summary>The client cannot ask.</summary>
    None,
    Form,

    /// <summary>The client can ask whether to open a URL.</summary>
    Url,
}
