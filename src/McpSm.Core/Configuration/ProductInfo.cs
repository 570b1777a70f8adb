using System.Reflection;

namespace McpSm.Core.Configuration;

/// <summary>The version of this build, which is also the version of the package.</summary>
internal static class ProductInfo
{
    public static string Version { get; } =
        typeof(ProductInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
