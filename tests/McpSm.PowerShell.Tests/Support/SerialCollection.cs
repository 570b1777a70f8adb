namespace McpSm.PowerShell.Tests.Support;

/// <summary>Test classes that run one after another: the environment, which names the folder, is the whole process's.</summary>
public static class SerialCollection
{
    public const string Name = "one at a time";
}
