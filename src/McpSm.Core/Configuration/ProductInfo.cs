using System.Reflection;

namespace McpSm.Core.Configuration;

/// <summary>The version of this build, as the package names it.</summary>
public static class ProductInfo
{
    public static string Version { get; } =
        typeof(ProductInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
