using System.Reflection;

namespace McpSm.Core;

/// <summary>The version of this build, as the package names it.</summary>
public static class CoreVersion
{
    public static string Text { get; } =
        typeof(CoreVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
