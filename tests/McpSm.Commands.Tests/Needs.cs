using Xunit;

namespace McpSm.Commands.Tests;

/// <summary>What a test needs of the machine: skipped with the reason where it is missing, failed where nothing may be missing.</summary>
internal static class Needs
{
    public static void That(bool present, string missing)
    {
        if (!present)
        {
            Assert.False(Environment.GetEnvironmentVariable("MCPSM_TEST_REQUIRE") == "1", missing);
            Assert.Skip(missing);
        }
    }
}
