using Xunit;

namespace McpSm.TestServers;

/// <summary>
/// Tools that a machine can lack. A test that needs a missing tool is skipped with a reason, or fails if MCPSM_TEST_REQUIRE is 1.
/// </summary>
public static class Require
{
    public static void OrSkip(bool isThere, string missing)
    {
        if (isThere)
        {
            return;
        }
        Assert.False(Environment.GetEnvironmentVariable("MCPSM_TEST_REQUIRE") == "1", missing);
        Assert.Skip(missing);
    }

    /// <summary>Requires programs on PATH.</summary>
    public static void Programs(params string[] names)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        foreach (var name in names)
        {
            OrSkip(folders.Any(f => File.Exists(Path.Combine(f, name))), $"The program '{name}' is not on this machine.");
        }
    }
}
