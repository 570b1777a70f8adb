using System.Runtime.Loader;

namespace McpSm.Loader;

/// <summary>
/// Keeps what the module depends on apart: a session may use another MSAL, another MCP SDK, another Duende. Only the
/// assemblies that the cmdlets themselves name are answered for in the default context; theirs live behind them.
/// </summary>
public static class ModuleLoader
{
    private static readonly Lock Gate = new();
    private static ModuleContext? _context;

    /// <summary>Makes the module's assemblies loadable. Once a process: further calls change nothing.</summary>
    /// <param name="moduleFolder">The folder of the module's manifest.</param>
    public static void Hook(string moduleFolder)
    {
        lock (Gate)
        {
            if (_context is not null)
            {
                return;
            }
            _context = new ModuleContext(Path.Combine(moduleFolder, "dependencies"));
            AssemblyLoadContext.Default.Resolving += (_, name) =>
                name.Name is "McpSm.Core" or "McpSm.Commands" ? _context.LoadFromAssemblyName(name) : null;
        }
    }
}
