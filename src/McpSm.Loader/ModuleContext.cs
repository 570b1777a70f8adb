using System.Reflection;
using System.Runtime.Loader;

namespace McpSm.Loader;

/// <summary>The module's own load context.</summary>
internal sealed class ModuleContext(string folder) : AssemblyLoadContext("Mcpsm")
{
    private readonly Lazy<Dictionary<string, string>> _platform = new(() =>
        ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .GroupBy(path => Path.GetFileNameWithoutExtension(path), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(same => same.Key, same => same.First(), StringComparer.OrdinalIgnoreCase));

    protected override Assembly? Load(AssemblyName name)
    {
        var path = Path.Combine(folder, name.Name + ".dll");
        return File.Exists(path) && !PlatformSuffices(name) ? LoadFromAssemblyPath(path) : null;
    }

    /// <summary>
    /// Whether the framework, or PowerShell itself, has the assembly in that version or a later one: its types then
    /// are the session's too, and nothing is loaded twice.
    /// </summary>
    private bool PlatformSuffices(AssemblyName name) =>
        _platform.Value.TryGetValue(name.Name!, out var path) && AssemblyName.GetAssemblyName(path).Version >= name.Version;
}
