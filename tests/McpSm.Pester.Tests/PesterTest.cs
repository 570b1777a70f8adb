namespace McpSm.Pester.Tests;

/// <summary>One Pester test, discovered or run.</summary>
/// <param name="Result">Passed, Failed, Skipped, Inconclusive or NotRun.</param>
/// <param name="Messages">The reasons why it failed or was skipped.</param>
public sealed record PesterTest(string File, string Name, string Result, IReadOnlyList<string> Tags, IReadOnlyList<string> Messages);
