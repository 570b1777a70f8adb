using System.Reflection;
using System.Runtime.Loader;

namespace McpSm.Loader;

/// <summary>The module's own load context.</summary>
internal sealed class ModuleLoadContext(string folder) : AssemblyLoadContext("Mcpsm")
{
    protected override Assembly? Load(AssemblyName name)
    {
        var path = Path.Combine(folder, name.Name + ".dll");
        return File.Exists(path) && !PlatformSuffices(name) ? LoadFromAssemblyPath(path) : null;
    }

    /// <summary>
    /// Whether the framework, or PowerShell itself, has the assembly in that version or a later one: its types then
    /// are the session's too, and nothing is loaded twice.
    /// </summary>
    private static bool PlatformSuffices(AssemblyName name)
    {
        // Some three hundred paths: looked through for the dozen names asked for, they need not be taken apart.
        var platform = (AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string).AsSpan();
        foreach (var range in platform.Split(Path.PathSeparator))
        {
            if (Path.GetFileNameWithoutExtension(platform[range]).Equals(name.Name, StringComparison.OrdinalIgnoreCase))
            {
                return AssemblyName.GetAssemblyName(platform[range].ToString()).Version >= name.Version;
            }
        }
        return false;
    }
}
