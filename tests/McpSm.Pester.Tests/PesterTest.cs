namespace McpSm.Pester.Tests;

/// <summary>One test of Pester's, discovered or run.</summary>
/// <param name="Result">Passed, Failed, Skipped, Inconclusive or NotRun.</param>
/// <param name="Messages">Why it failed or was skipped.</param>
public sealed record PesterTest(string File, string Name, string Result, IReadOnlyList<string> Tags, IReadOnlyList<string> Messages);

/// <summary>What one run of Pester gave.</summary>
/// <param name="Outside">The errors outside the tests: while a file was read, or before and after its blocks.</param>
public sealed record PesterResult(IReadOnlyList<PesterTest> Tests, IReadOnlyList<string> Outside);
