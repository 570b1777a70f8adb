using System.Management.Automation;
using System.Runtime.Loader;

namespace McpSm.Loader;

/// <summary>
/// Loads the dependencies of the module into their own context, because the session may use another version of MSAL or the MCP SDK. The
/// default context resolves only Core and Commands, which the cmdlets use; the other dependencies are visible only to those.
/// </summary>
public sealed class ModuleLoader : IModuleAssemblyInitializer
{
    private static readonly Lock Gate = new();
    private static ModuleLoadContext? s_context;

    /// <summary>Registers the context before PowerShell reads the cmdlets. Further calls in the same process change nothing.</summary>
    public void OnImport()
    {
        lock (Gate)
        {
            if (s_context is not null)
            {
                return;
            }
            var context = s_context = new ModuleLoadContext(Path.Combine(Path.GetDirectoryName(typeof(ModuleLoader).Assembly.Location)!, "dependencies"));
            AssemblyLoadContext.Default.Resolving += (_, name) =>
                name.Name is "McpSm.Core" or "McpSm.Commands" ? context.LoadFromAssemblyName(name) : null;
        }
    }
}
