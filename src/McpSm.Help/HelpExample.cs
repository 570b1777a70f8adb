namespace McpSm.Help;

/// <summary>An example of a command: a title, its code, and what the page says about it.</summary>
internal sealed record HelpExample(string Title, string Code, IReadOnlyList<string> Remarks);
