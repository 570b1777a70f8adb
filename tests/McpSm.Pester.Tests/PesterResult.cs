namespace McpSm.Pester.Tests;

/// <summary>The result of one run of Pester.</summary>
/// <param name="Outside">The errors outside the tests: while a file was read, or in the set-up and clean-up of its blocks.</param>
public sealed record PesterResult(IReadOnlyList<PesterTest> Tests, IReadOnlyList<string> Outside);
