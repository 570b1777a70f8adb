namespace McpSm.Help;

internal sealed record HelpExample(string Title, string Code, IReadOnlyList<string> Remarks);
