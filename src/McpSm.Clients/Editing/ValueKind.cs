namespace McpSm.Clients.Editing;

/// <summary>The kind of a value in a document.</summary>
internal enum ValueKind
{
    Map,
    List,
    Scalar,
    /// <summary>An alias of YAML, which repeats an anchored value.</summary>
    Alias,
}
