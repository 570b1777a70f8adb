namespace McpSm.Core.Management;

/// <summary>A name that can be completed.</summary>
/// <param name="Value">What is typed; one line without control characters, and nothing else is sure of it.</param>
/// <param name="ToolTip">What a person is told of it, in one line.</param>
internal sealed record CompletionCandidate(string Value, string ToolTip);
