namespace McpSm.Pester.Tests;

/// <summary>What one run of Pester gave.</summary>
/// <param name="Outside">The errors outside the tests: while a file was read, or before and after its blocks.</param>
public sealed record PesterResult(IReadOnlyList<PesterTest> Tests, IReadOnlyList<string> Outside);
