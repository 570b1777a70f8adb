using System.Management.Automation;
using System.Runtime.Loader;

namespace McpSm.Loader;

/// <summary>
/// Keeps what the module depends on apart: a session may use another MSAL, another MCP SDK, another Duende. Only the
/// assemblies that the cmdlets themselves name are answered for in the default context; theirs live behind them.
/// </summary>
public sealed class ModuleLoader : IModuleAssemblyInitializer
{
    private static readonly Lock Gate = new();
    private static ModuleLoadContext? _context;

    /// <summary>Makes the module's assemblies loadable, before PowerShell looks at the cmdlets. Once a process: further calls change nothing.</summary>
    public void OnImport()
    {
        lock (Gate)
        {
            if (_context is not null)
            {
                return;
            }
            var context = _context = new ModuleLoadContext(Path.Combine(Path.GetDirectoryName(typeof(ModuleLoader).Assembly.Location)!, "dependencies"));
            AssemblyLoadContext.Default.Resolving += (_, name) =>
                name.Name is "McpSm.Core" or "McpSm.Commands" ? context.LoadFromAssemblyName(name) : null;
        }
    }
}
