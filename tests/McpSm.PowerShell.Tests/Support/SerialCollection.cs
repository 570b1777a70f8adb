namespace McpSm.PowerShell.Tests.Support;

/// <summary>Test classes that run one after another, because they set environment variables of the process.</summary>
public static class SerialCollection
{
    public const string Name = "one at a time";
}
