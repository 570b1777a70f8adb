using Xunit;

namespace McpSm.TestServers;

/// <summary>
/// What a machine may lack: a test that needs it is skipped, with the reason. Where MCPSM_TEST_REQUIRE=1 says that all
/// must be there, it fails instead.
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

    /// <summary>Programs that are found on PATH.</summary>
    public static void Programs(params string[] names)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        foreach (var name in names)
        {
            OrSkip(folders.Any(f => File.Exists(Path.Combine(f, name))), $"The program '{name}' is not on this machine.");
        }
    }
}
