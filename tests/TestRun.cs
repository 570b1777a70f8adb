using Xunit;

namespace McpSm.Tests;

/// <summary>Shorthand for tests. Every test project compiles this file and imports its members.</summary>
internal static class TestRun
{
    /// <summary>Cancelled when the runner stops the test, for example after Ctrl+C or a timeout.</summary>
    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
