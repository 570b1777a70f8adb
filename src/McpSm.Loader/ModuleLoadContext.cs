using System.Reflection;
using System.Runtime.Loader;

namespace McpSm.Loader;

/// <summary>The assembly load context of the module, which loads its dependencies from a folder.</summary>
/// <param name="folder">The folder of the dependencies.</param>
internal sealed class ModuleLoadContext(string folder) : AssemblyLoadContext("Mcpsm")
{
    protected override Assembly? Load(AssemblyName name)
    {
        var path = Path.Combine(folder, name.Name + ".dll");
        return File.Exists(path) && !PlatformSuffices(name) ? LoadFromAssemblyPath(path) : null;
    }

    /// <summary>
    /// Returns whether .NET or PowerShell has the assembly in the same or a later version. The session then shares its types, and the
    /// assembly is not loaded twice.
    /// </summary>
    private static bool PlatformSuffices(AssemblyName name)
    {
        // The list has about 300 paths, and about 12 names are looked up. Searching the text is faster than splitting it.
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
